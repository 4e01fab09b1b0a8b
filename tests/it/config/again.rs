//! A configuration that is loaded again: a directory whose files say what they said is kept, and whatever is loaded is what
//! a first load gives.

use std::fs;
use std::sync::Arc;

use boomgate::config::{Loaded, ReadDirectory, attempt};
use boomgate::types::Fault;

use super::support::{Folder, environment};

/// Loads it. The faults come with their places.
fn load(folder: &Folder, before: Option<&ReadDirectory>) -> (Option<Loaded>, Vec<Fault>) {
    let (loaded, faults, _files) = attempt(&folder.path("boomgate.yaml"), &environment, before);
    (loaded, faults.sorted())
}

/// A folder whose directory brings two warnings: an agent has no blueprint, and Graph lists it too.
fn folder() -> Folder {
    let folder = Folder::with_reference();
    folder.write("agents/stray.json", stray("nowhere"));
    folder.write("listed/agents.json", stray("nowhere"));
    let from = "directory:\n  dir: agents\n";
    folder.replace(from, &format!("{from}  graph: {{dir: listed}}\n"));
    folder.append(
        "\ngraph: {tenant: 7a1d0c52-3f0e-4b1b-9a51-0c8d5e2f1a00, client_id: c1c1c1c1-0000-4000-8000-000000000001, \
         client_secret: '${BOOMGATE_ADMIN_TOKEN}'}\n",
    );
    folder
}

fn stray(blueprint: &str) -> String {
    format!(
        r##"{{"@odata.type": "#microsoft.graph.agentIdentity", "id": "f1", "displayName": "Stray",
            "accountEnabled": true, "agentIdentityBlueprintId": "{blueprint}"}}"##
    )
}

#[test]
fn a_directory_of_the_same_files_is_not_read_again_and_its_warnings_are_told() {
    let folder = folder();
    let (first, faults) = load(&folder, None);
    let first = first.unwrap();
    assert_eq!(faults.len(), 2, "{faults:#?}");

    let (again, told) = load(&folder, Some(&first.directory));
    let again = again.unwrap();
    assert!(Arc::ptr_eq(&again.directory, &first.directory));
    assert_eq!((&again.generation, told), (&first.generation, faults));

    folder.replace("unknown_agents: evaluate", "unknown_agents: block");
    let (otherwise, _) = load(&folder, Some(&again.directory));
    let otherwise = otherwise.unwrap();
    assert!(Arc::ptr_eq(&otherwise.directory, &first.directory));
    assert_ne!(otherwise.generation, first.generation);

    // Told each time, though nothing is read from it.
    fs::create_dir(folder.path("agents/inner")).unwrap();
    let (beside, told) = load(&folder, Some(&otherwise.directory));
    let beside = beside.unwrap();
    assert!(Arc::ptr_eq(&beside.directory, &first.directory));
    assert_eq!((told.len(), beside.generation), (3, otherwise.generation));
    assert_eq!(told, load(&folder, None).1);
}

#[test]
fn whatever_changes_in_the_directory_it_is_read_as_if_for_the_first_time() {
    let changes: [fn(&Folder); 7] = [
        // As many bytes as before.
        |folder| folder.write("agents/stray.json", stray("nobody!")),
        |folder| folder.write("agents/more.json", "[]"),
        |folder| fs::remove_file(folder.path("agents/stray.json")).unwrap(),
        |folder| {
            fs::rename(
                folder.path("agents/stray.json"),
                folder.path("agents/s.json"),
            )
            .unwrap();
        },
        |folder| folder.write("listed/agents.json", "[]"),
        |folder| fs::remove_dir_all(folder.path("listed")).unwrap(),
        |folder| {
            fs::rename(folder.path("agents"), folder.path("others")).unwrap();
            folder.replace("dir: agents", "dir: others");
        },
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let folder = folder();
        let before = load(&folder, None).0.unwrap().directory;
        change(&folder);
        let (again, faults) = load(&folder, Some(&before));
        let (anew, expected) = load(&folder, None);
        let (again, anew) = (again.unwrap(), anew.unwrap());
        assert!(!Arc::ptr_eq(&again.directory, &before), "change {number}");
        assert_eq!(faults, expected, "change {number}");
        assert_eq!(again.generation, anew.generation, "change {number}");
        let shown = |loaded: &Loaded| format!("{:?}", **loaded.directory);
        assert_eq!(shown(&again), shown(&anew), "change {number}");
    }
}

#[test]
fn a_directory_that_cannot_be_read_any_more_is_not_taken_from_before() {
    let changes: [fn(&Folder); 4] = [
        |folder| folder.write("agents/stray.json", "{"),
        |folder| fs::remove_dir_all(folder.path("agents")).unwrap(),
        |folder| {
            fs::remove_dir_all(folder.path("agents")).unwrap();
            fs::create_dir(folder.path("agents")).unwrap();
        },
        |folder| {
            fs::remove_file(folder.path("agents/stray.json")).unwrap();
            std::os::unix::fs::symlink("gone", folder.path("agents/stray.json")).unwrap();
        },
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let folder = folder();
        let before = load(&folder, None).0.unwrap().directory;
        change(&folder);
        let (again, faults) = load(&folder, Some(&before));
        assert!(again.is_none(), "change {number}");
        assert_eq!(faults, load(&folder, None).1, "change {number}");
    }
}
