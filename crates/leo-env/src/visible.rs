use leo_diagnostic::Location;

/// A location without its text where that holds a token: whoever writes one into a place that is no secret's by mistake
/// doesn't want it on a screen and in a log too.
pub fn visible(location: Location) -> Location {
    if leo_token::find(&location.text).is_empty() {
        return location;
    }
    let name = location.text.split('=').next().filter(|name| leo_token::find(name).is_empty());
    let shown = format!("{} = <not shown>", name.unwrap_or_default().trim());
    Location::hidden(&location.path, location.line, shown.trim_start_matches(" = "))
}
