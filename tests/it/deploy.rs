//! What is shipped for deployments: the manifests mount what their configuration reads, and leave no policy out.

use std::fs;
use std::path::{Path, PathBuf};

fn kubernetes(path: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("deploy/kubernetes").join(path)
}

/// The folders beside the configuration's own that it names by `../folder`.
fn folders_named_in(configuration: &str) -> Vec<&str> {
    let behind = configuration.split("../").skip(1);
    let mut folders: Vec<_> = behind
        .map(|rest| rest.split(['/', '\n']).next().unwrap())
        .collect();
    folders.dedup();
    folders
}

#[test]
fn every_folder_that_a_gate_reads_is_mounted() {
    for kind in ["gateway", "sidecar"] {
        let folder = kubernetes(kind);
        let configuration = fs::read_to_string(folder.join("config/boomgate.yaml")).unwrap();
        let deployment = fs::read_to_string(folder.join("deployment.yaml")).unwrap();
        let named = folders_named_in(&configuration);
        assert_eq!(
            named,
            ["calls-tls", "management-tls", "admin-token", "policies"]
        );
        for name in named {
            let mount = format!("mountPath: /etc/boomgate/{name}, readOnly: true");
            assert!(deployment.contains(&mount), "{kind} does not mount {name}");
        }
    }
}

#[test]
fn no_policy_of_the_manifests_is_left_out() {
    let folder = kubernetes("policies");
    let listed = fs::read_to_string(folder.join("kustomization.yaml")).unwrap();
    let files = fs::read_dir(&folder).unwrap();
    let policies: Vec<_> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".json"))
        .collect();
    assert!(!policies.is_empty());
    for name in policies {
        assert!(
            listed.contains(&format!("- {name}\n")),
            "{name} is not in the ConfigMap"
        );
    }
}
