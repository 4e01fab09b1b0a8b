//! What is shipped for deployments: the manifests mount what their configuration reads and leave no policy out, and
//! each is started by a command that the binary takes, on a configuration that it finds fine.

use std::fs;
use std::path::{Path, PathBuf};

use crate::config::support::{Folder, TOKEN};
use crate::support::process::{Ended, run_in};

fn deploy(path: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("deploy").join(path)
}

fn kubernetes(path: &str) -> PathBuf {
    deploy("kubernetes").join(path)
}

/// The arguments that a deployment starts the binary with, as `check`, where the folder stands for `/etc/boomgate`.
fn check(folder: &Folder, arguments: &str) -> Ended {
    let root = folder.root().to_str().unwrap();
    let arguments = arguments.replace("/etc/boomgate", root);
    let mut arguments: Vec<_> = arguments.split([',', ' ']).collect();
    arguments.retain(|argument| !argument.is_empty());
    assert!(["run", "check"].contains(&arguments[0]), "{arguments:?}");
    arguments[0] = "check";
    let variable = ("BOOMGATE_ADMIN_TOKEN", TOKEN);
    run_in(folder.root(), variable, &arguments)
}

/// The rest of the one line that begins with this text.
fn rest_of_line<'a>(text: &'a str, beginning: &str) -> &'a str {
    let mut rests = text
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix(beginning));
    let rest = rests.next().unwrap();
    assert_eq!(rests.next(), None, "`{beginning}` stands twice");
    rest
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

#[test]
fn the_kubernetes_configurations_are_fine_as_they_are_mounted() {
    for kind in ["gateway", "sidecar"] {
        let folder = Folder::with_certificates();
        let configuration = kubernetes(kind).join("config/boomgate.yaml");
        folder.write("config/boomgate.yaml", fs::read(configuration).unwrap());
        for entry in fs::read_dir(kubernetes("policies")).unwrap() {
            let path = entry.unwrap().path();
            if path
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                let name = path.file_name().unwrap().to_str().unwrap();
                folder.write(&format!("policies/{name}"), fs::read(&path).unwrap());
            }
        }
        for (secret, certificate) in [("calls-tls", "server"), ("management-tls", "management")] {
            let read = |name: String| fs::read(folder.path(&name)).unwrap();
            let pem = read(format!("certs/{certificate}.pem"));
            let key = read(format!("certs/{certificate}-key.pem"));
            folder.write(&format!("{secret}/tls.crt"), pem);
            folder.write(&format!("{secret}/tls.key"), key);
        }
        folder.write("admin-token/token", TOKEN);

        let deployment = fs::read_to_string(kubernetes(kind).join("deployment.yaml")).unwrap();
        let arguments = rest_of_line(&deployment, "args: [run").trim_end_matches(']');
        let ended = check(&folder, &format!("run{arguments}"));
        assert_eq!(
            ended.code,
            Some(0),
            "{kind}: {}{}",
            ended.stdout,
            ended.stderr
        );
        // The one thing to know of it: the kubelet's probes come over the network.
        let lines = ended.stdout.lines();
        let warnings: Vec<_> = lines.filter(|line| line.contains(": warning: ")).collect();
        let is_known = matches!(warnings[..], [one] if one.contains(" management.address: "));
        assert!(is_known, "{kind}: {warnings:#?}");
    }
}

/// A host and an image have the reference configuration's layout.
#[test]
fn host_and_image_start_the_reference_configuration() {
    let folder = Folder::with_reference();
    let unit = fs::read_to_string(deploy("systemd/boomgate.service")).unwrap();
    let image = fs::read_to_string(deploy("container/Dockerfile")).unwrap();
    for arguments in [
        rest_of_line(&unit, "ExecStartPre=/usr/local/bin/boomgate ").to_owned(),
        rest_of_line(&unit, "ExecStart=/usr/local/bin/boomgate ").to_owned(),
        rest_of_line(&image, "CMD [")
            .trim_end_matches(']')
            .replace('"', ""),
    ] {
        let ended = check(&folder, &arguments);
        assert_eq!(
            ended.code,
            Some(0),
            "{arguments}: {}{}",
            ended.stdout,
            ended.stderr
        );
        assert!(!ended.stdout.contains("warning"), "{}", ended.stdout);
    }
}
