//! As much of JSON Schema as the description uses; a word that is not known here fails.

use serde_json::Value;

/// Words that say nothing about values.
const SILENT: [&str; 4] = ["description", "default", "discriminator", "components"];

/// What of a value is not as a schema of `document` wants it.
pub(crate) fn errors(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let words = schema.as_object().expect("a schema is an object");
    let mut found = vec![];
    for (word, want) in words.iter().filter(|(word, _)| !SILENT.contains(&word.as_str())) {
        let fine = match word.as_str() {
            "$ref" => {
                let name = want.as_str().unwrap().trim_start_matches('#');
                found.extend(errors(document, document.pointer(name).unwrap(), value));
                continue;
            }
            "properties" => {
                for (name, schema) in want.as_object().unwrap() {
                    if let Some(value) = value.get(name) {
                        let inner = errors(document, schema, value);
                        found.extend(inner.into_iter().map(|error| format!("{name}: {error}")));
                    }
                }
                continue;
            }
            "items" => {
                for value in value.as_array().into_iter().flatten() {
                    found.extend(errors(document, want, value));
                }
                continue;
            }
            "required" => {
                let names = want.as_array().unwrap().iter().map(|name| name.as_str().unwrap());
                value.as_object().is_none_or(|o| names.into_iter().all(|n| o.contains_key(n)))
            }
            "additionalProperties" => {
                let known = words["properties"].as_object().unwrap();
                value.as_object().is_none_or(|o| o.keys().all(|name| known.contains_key(name)))
            }
            "oneOf" => {
                let fits = |schema: &&Value| errors(document, schema, value).is_empty();
                want.as_array().unwrap().iter().filter(fits).count() == 1
            }
            "type" => match want {
                Value::String(name) => is(name, value),
                names => names.as_array().unwrap().iter().any(|n| is(n.as_str().unwrap(), value)),
            },
            "enum" => want.as_array().unwrap().contains(value),
            "const" => want == value,
            "minimum" => value.as_f64().is_none_or(|v| v >= want.as_f64().unwrap()),
            "maximum" => value.as_f64().is_none_or(|v| v <= want.as_f64().unwrap()),
            "exclusiveMinimum" => value.as_f64().is_none_or(|v| v > want.as_f64().unwrap()),
            "maxItems" => value.as_array().is_none_or(|v| v.len() as u64 <= want.as_u64().unwrap()),
            "minItems" => value.as_array().is_none_or(|v| v.len() as u64 >= want.as_u64().unwrap()),
            "maxLength" => {
                value.as_str().is_none_or(|v| v.chars().count() as u64 <= want.as_u64().unwrap())
            }
            // The one pattern of an answer is a colour's.
            "pattern" => value.as_str().is_none_or(|v| {
                v.len() == 7 && v.starts_with('#') && v[1..].bytes().all(|b| b.is_ascii_hexdigit())
            }),
            other => panic!("{other} is not known here"),
        };
        if !fine {
            found.push(format!("{value} is not {word} {want}"));
        }
    }
    found
}

fn is(name: &str, value: &Value) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("{other} is no type"),
    }
}
