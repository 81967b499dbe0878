//! A software bill of materials of what is inside, in the form of CycloneDX 1.5 (JSON).
//!
//! It names no time and no serial number, which the format leaves open: the same file gives the same document.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::Crate;

/// A file with an image in it.
#[derive(Clone, Debug)]
pub struct Holder<'a> {
    /// Its name.
    pub file: &'a str,
    /// The crates of its images.
    pub images: Vec<&'a [Crate]>,
}

/// Makes the document. Each file is a component that depends on the crates that were built for it.
pub fn cyclonedx(holders: &[Holder<'_>]) -> Value {
    let mut crates: BTreeMap<String, Value> = BTreeMap::new();
    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut files = Vec::new();
    for holder in holders {
        let own = format!("file:{}", holder.file);
        files.push(json!({"type": "file", "bom-ref": own, "name": holder.file}));
        let of_file = uses.entry(own).or_default();
        let all = || holder.images.iter().copied().flatten();
        of_file.extend(all().filter(|krate| krate.root).map(reference));
        for image in &holder.images {
            for krate in *image {
                let used = krate.dependencies.iter();
                let used = used.filter_map(|at| image.get(*at)).map(reference);
                uses.entry(reference(krate)).or_default().extend(used);
                crates.insert(reference(krate), component(krate));
            }
        }
    }
    let mut metadata = json!({
        "tools": {"components": [{"type": "application", "name": "rsyso", "version": env!("CARGO_PKG_VERSION")}]},
    });
    // The subject of the document, if it has one.
    if let [file] = files.as_slice() {
        metadata["component"] = file.clone();
        files.clear();
    }
    files.extend(crates.into_values());
    let uses = uses.into_iter();
    let uses: Vec<Value> = uses
        .map(|(from, to)| json!({"ref": from, "dependsOn": to}))
        .collect();
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": metadata,
        "components": files,
        "dependencies": uses,
    })
}

/// The crate's name in the document: its package URL, if the registry of that type has it (purl-spec, `cargo`).
fn reference(krate: &Crate) -> String {
    let Crate {
        name,
        version,
        source,
        ..
    } = krate;
    match source.as_str() {
        "crates.io" => format!("pkg:cargo/{name}@{version}"),
        _ => format!("{source}:{name}@{version}"),
    }
}

fn component(krate: &Crate) -> Value {
    let mut component = json!({
        "type": "library",
        "bom-ref": reference(krate),
        "name": krate.name,
        "version": krate.version,
    });
    if krate.source == "crates.io" {
        component["purl"] = reference(krate).into();
    }
    if let Some(license) = &krate.license {
        // Old manifests part the licences by slashes (The Cargo Book, "The license and license-file fields").
        let expression = license.split('/').map(str::trim).collect::<Vec<_>>();
        component["licenses"] = json!([{"expression": expression.join(" OR ")}]);
    }
    component
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crates_are_components_and_stand_once() {
        let krate = |name: &str, source: &str, dependencies: &[usize]| Crate {
            name: name.into(),
            version: "1.0.0".into(),
            source: source.into(),
            license: Some("MIT/Apache-2.0".into()),
            dependencies: dependencies.into(),
            root: source == "local",
        };
        let crates = [
            krate("foo", "local", &[1]),
            krate("memchr", "crates.io", &[]),
        ];
        let holder = Holder {
            file: "prog",
            images: vec![&crates, &crates],
        };
        let document = cyclonedx(&[holder]);
        assert_eq!(document["metadata"]["component"]["name"], "prog");
        let components = document["components"].as_array().expect("a list");
        assert_eq!(components.len(), 2);
        let memchr = &components[1];
        assert_eq!(memchr["purl"], "pkg:cargo/memchr@1.0.0");
        assert_eq!(memchr["licenses"][0]["expression"], "MIT OR Apache-2.0");
        assert_eq!(components[0].get("purl"), None);
        let uses = document["dependencies"].as_array().expect("a list");
        let of = |from: &str| {
            let found = uses.iter().find(|entry| entry["ref"] == from);
            found.expect("an entry")["dependsOn"].clone()
        };
        assert_eq!(of("file:prog"), json!(["local:foo@1.0.0"]));
        assert_eq!(of("local:foo@1.0.0"), json!(["pkg:cargo/memchr@1.0.0"]));
    }
}
