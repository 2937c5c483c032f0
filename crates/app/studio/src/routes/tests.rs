use std::collections::BTreeSet;

use super::api;
use super::server::OPENAPI;

/// Method and address of everything that is described.
fn described() -> BTreeSet<(String, String)> {
    let document: serde_json::Value = serde_json::from_str(OPENAPI).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let methods = |(path, methods): (&String, &serde_json::Value)| -> Vec<_> {
        let names = methods.as_object().unwrap().keys();
        names.map(|name| (name.to_uppercase(), path.clone())).collect()
    };
    paths.iter().flat_map(methods).collect()
}

#[test]
fn the_description_has_every_route_and_no_other() {
    let routes: BTreeSet<(String, String)> = api()
        .into_iter()
        .flat_map(|(path, _, methods)| {
            methods.iter().map(|m| (m.to_string(), path.to_owned())).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(routes, described());
}
