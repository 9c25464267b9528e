use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Map, Value};

use super::*;

fn parse(text: &str) -> Option<Object> {
    Object::parse(Zeroizing::new(text.to_owned()))
}

type Change<'a> = (&'a str, Option<&'a str>);

fn edit(text: &str, changes: &[Change<'_>]) -> String {
    let secrets: Vec<_> = changes.iter().map(|(key, value)| (*key, value.map(Secret::new))).collect();
    let object = parse(text).unwrap();
    object.edited(secrets.iter().map(|(key, value)| (*key, value.as_ref()))).into_secret().expose().to_owned()
}

#[test]
fn only_objects_are_objects() {
    for text in
        ["", " ", "x", "\"{}\"", "[]", "[{}]", "1", "null", "{", "{}}", "{\"a\"}", "{\"a\":1,}", "{a:1}"]
    {
        assert!(parse(text).is_none(), "{text}");
    }
    for text in ["{}", " {\n} ", "{\"a\":{\"b\":[\"}\",\"\\\"\"]}}"] {
        assert!(parse(text).is_some(), "{text}");
    }
}

#[test]
fn the_rest_keeps_its_bytes() {
    let table: [(&str, &[Change<'_>], &str); 12] = [
        ("{}", &[("a", Some("x"))], r#"{"a":"x"}"#),
        (" { } ", &[("a", Some("x"))], r#" {"a":"x" } "#),
        (r#"{"a":1}"#, &[("a", Some("x\"y"))], r#"{"a":"x\"y"}"#),
        (r#"{"a" : 1.0e5 , "b":[1, {"c":"}"}]}"#, &[("a", Some("x"))], r#"{"a" : "x" , "b":[1, {"c":"}"}]}"#),
        ("{\n  \"a\": 1\n}", &[("b", Some("x"))], "{\n  \"a\": 1,\n  \"b\": \"x\"\n}"),
        (r#"{"a":1,"b":2,"c":3}"#, &[("b", None)], r#"{"a":1,"c":3}"#),
        (r#"{"a":1, "b":2, "c":3}"#, &[("a", None)], r#"{"b":2, "c":3}"#),
        (r#"{"a":1, "b":2, "c":3}"#, &[("c", None)], r#"{"a":1, "b":2}"#),
        (r#"{ "a":1 }"#, &[("a", None)], "{  }"),
        (r#"{"a":1,"a":2}"#, &[("a", Some("x"))], r#"{"a":"x","a":"x"}"#),
        (r#"{"\u0061":1}"#, &[("a", Some("x"))], r#"{"\u0061":"x"}"#),
        ("{}", &[("a", None), ("b", Some("é\u{1f}"))], "{\"b\":\"é\\u001f\"}"),
    ];
    for (text, changes, expected) in table {
        assert_eq!(edit(text, changes), expected);
    }
}

#[test]
fn values_are_compared_as_texts() {
    let object = parse(r#"{"a":"x/y","b":"x\/\u0079","c":1,"d":null,"e":"x","e":"y"}"#).unwrap();
    let held = |key: &str, value: &str| object.compare(key, &Secret::new(value));
    assert_eq!([held("a", "x/y"), held("b", "x/y")], [Held::Same, Held::Same]);
    assert_eq!([held("c", "1"), held("d", "null"), held("a", "x")], [Held::Other; 3]);
    assert_eq!([held("e", "x"), held("e", "y"), held("f", "")], [Held::Other, Held::Other, Held::Absent]);
}

#[test]
fn debug_output_hides_it() {
    assert_eq!(format!("{:?}", parse(r#"{"a":"hush"}"#)), "Some(Object(hidden))");
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![Just(Value::Null), any::<i64>().prop_map(Value::from), ".*".prop_map(Value::from)];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::btree_map("[a-c\"}]{0,2}", inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn text(object: &BTreeMap<String, Value>, pretty: bool) -> String {
    let map: Map<_, _> = object.clone().into_iter().collect();
    let write = if pretty { serde_json::to_string_pretty } else { serde_json::to_string };
    write(&Value::Object(map)).unwrap()
}

proptest! {
    #[test]
    fn edits_do_what_they_would_do_to_a_map(
        start in proptest::collection::btree_map("[a-d\\\\\"]{1,2}", value(), 0..5),
        changes in proptest::collection::vec(("[a-d\\\\\"]{1,2}", proptest::option::of(".*")), 0..6),
        pretty: bool,
    ) {
        let text = text(&start, pretty);
        let changes: Vec<_> =
            changes.iter().map(|(key, value)| (key.as_str(), value.as_deref())).collect();
        let edited: Value = serde_json::from_str(&edit(&text, &changes)).unwrap();
        let mut expected = start;
        for (key, value) in &changes {
            match value {
                Some(value) => expected.insert((*key).to_owned(), Value::from(*value)),
                None => expected.remove(*key),
            };
        }
        prop_assert_eq!(edited, Value::Object(expected.into_iter().collect()));
    }

    #[test]
    fn no_text_makes_it_panic(text in "[{}\\[\\]\",:\\\\ a1-]{0,40}") {
        if let Some(object) = parse(&text) {
            let value = serde_json::from_str::<Map<String, Value>>(&text).unwrap();
            prop_assert!(value.keys().all(|key| object.has(key)));
        }
    }
}
