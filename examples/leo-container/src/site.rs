//! The site that is made of a prompt: text in, files out.

/// A file of the site.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct File {
    /// Its name below the output's prefix.
    pub(crate) name: &'static str,
    /// For the browser.
    pub(crate) content_type: &'static str,
    pub(crate) body: String,
}

/// The files, the page first.
pub(crate) fn site(prompt: &str) -> Vec<File> {
    let title = escape(prompt.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("Untitled"));
    let text = escape(prompt.trim());
    let page = format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'self'">
<title>{title}</title>
<link rel="stylesheet" href="style.css">
</head>
<body>
<main>
<h1>{title}</h1>
<p>{text}</p>
</main>
</body>
</html>
"#
    );
    let hue = prompt.bytes().fold(0_u32, |hue, byte| (hue * 31 + u32::from(byte)) % 360);
    let style = format!(
        "main {{ max-width: 40rem; margin: 10vh auto; padding: 0 1rem; font: 1.1rem/1.6 system-ui, sans-serif; }}\n\
         h1 {{ color: hsl({hue} 70% 35%); overflow-wrap: anywhere; }}\n\
         p {{ white-space: pre-wrap; overflow-wrap: anywhere; }}\n"
    );
    vec![
        File { name: "index.html", content_type: "text/html; charset=utf-8", body: page },
        File { name: "style.css", content_type: "text/css; charset=utf-8", body: style },
    ]
}

/// The text for an element's content or a quoted attribute.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::site;

    #[test]
    fn a_prompt_can_not_become_markup() {
        let files = site("<script>alert(\"1\")</script> & '\u{e4}'");
        let page = &files[0].body;
        assert!(!page.contains("<script"), "{page}");
        assert!(
            page.contains("<h1>&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;ä&#39;</h1>"),
            "{page}"
        );
    }

    #[test]
    fn the_same_prompt_makes_the_same_site() {
        assert_eq!(site("a bakery\nwith bread"), site("a bakery\nwith bread"));
        assert_ne!(site("a bakery")[1], site("a florist")[1], "another colour");
        insta::assert_snapshot!(site("\n a bakery\nwith bread")[0].body);
    }
}
