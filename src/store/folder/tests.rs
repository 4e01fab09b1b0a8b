use std::fs;
use std::os::unix::fs::symlink;

use serde_json::json;
use tempfile::TempDir;

use super::*;

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> (TempDir, Folder) {
    let home = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(home.path().join(name), text).unwrap();
    }
    let folder = Folder::new(home.path().to_owned());
    (home, folder)
}

fn find(folder: &Folder, id: &str) -> Option<Item> {
    folder.find(|object| object["id"] == id).unwrap()
}

/// Names and texts of all files, the hidden ones too.
fn files_of(home: &TempDir) -> Vec<(String, String)> {
    let entries = fs::read_dir(home.path()).unwrap();
    let mut files: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .map(|path| (files::file_name(&path), fs::read_to_string(&path).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn a_file_is_put_whole_and_only_where_it_says_something_else() {
    let folder = tempfile::tempdir().unwrap();
    let store = Folder::new(folder.path().to_owned());
    let put = |text: &str| store.put_file("a.json", text.as_bytes().to_vec()).unwrap();
    assert!(put("{}"));
    assert!(!put("{}"));
    assert!(put("[]"));
    assert_eq!(
        fs::read_to_string(folder.path().join("a.json")).unwrap(),
        "[]"
    );
    assert!(
        Folder::new(folder.path().join("gone"))
            .put_file("a", Vec::new())
            .is_err()
    );
}

#[test]
fn a_new_object_gets_a_file_that_people_recognise() {
    let (home, folder) = folder(&[]);
    let new =
        object(&json!({"state": "enabled", "id": "A-1", "displayName": "Block: ärger & Co."}));
    let written = folder.create("Block: ärger & Co.", "A-1", &new).unwrap();
    assert_eq!(files::file_name(written.file()), "block-rger-co-a-1.json");
    let text = "{\n  \"id\": \"A-1\",\n  \"displayName\": \"Block: ärger & Co.\",\n  \"state\": \"enabled\"\n}\n";
    assert_eq!(files_of(&home)[0].1, text);
    assert_eq!(find(&folder, "A-1").unwrap().object, new);
    written.put_back().unwrap();
    assert_eq!(files_of(&home), []);

    assert_eq!(file_name("日本", "1"), "1.json");
    assert_eq!(file_name("../..", "/etc/x"), "etc-x.json");
    assert!(file_name(&"long name ".repeat(90), "1").len() < 80);
}

#[test]
fn the_other_items_of_a_list_stay_as_they_are_written() {
    let text = "{\"@odata.context\": \"c\",\n  \"value\": [ {\"id\" : \"1\"},\n    {\"id\": \"2\", \"x\": [1 ,2]} ,\n    {\"id\": \"3\"} ] }";
    for (id, replaced, deleted) in [
        (
            "1",
            text.replace("{\"id\" : \"1\"}", "{\n    \"id\": \"new\"\n  }"),
            text.replace(" {\"id\" : \"1\"},\n    ", " "),
        ),
        (
            "2",
            text.replace(
                "{\"id\": \"2\", \"x\": [1 ,2]}",
                "{\n      \"id\": \"new\"\n    }",
            ),
            text.replace("{\"id\": \"2\", \"x\": [1 ,2]} ,\n    ", ""),
        ),
        (
            "3",
            text.replace("{\"id\": \"3\"}", "{\n      \"id\": \"new\"\n    }"),
            text.replace(" ,\n    {\"id\": \"3\"}", " "),
        ),
    ] {
        let (home, folder) = folder(&[("list.json", text)]);
        let item = find(&folder, id).unwrap();
        let new = object(&json!({"id": "new"}));
        let written = folder.replace(&item, &new).unwrap();
        assert_eq!(files_of(&home)[0].1, replaced);
        written.put_back().unwrap();
        assert_eq!(files_of(&home)[0].1, text);
        let written = folder.delete(&item).unwrap();
        assert_eq!(files_of(&home)[0].1, deleted);
        assert!(find(&folder, id).is_none());
        written.put_back().unwrap();
        assert_eq!(files_of(&home)[0].1, text);
    }
}

#[test]
fn a_list_is_emptied_and_a_file_of_one_goes() {
    let (home, folder) = folder(&[
        ("a.json", "[ {\"id\": \"1\"} ]\n"),
        ("b.json", "{\"id\": \"2\"}"),
    ]);
    for id in ["1", "2"] {
        let item = find(&folder, id).unwrap();
        drop(folder.delete(&item).unwrap());
    }
    assert_eq!(files_of(&home), [("a.json".to_owned(), "[]\n".to_owned())]);
}

#[test]
fn an_export_in_utf16_is_written_back_as_utf8() {
    let (home, folder) = folder(&[]);
    let text = "\u{FEFF}[{\"id\": \"1\", \"n\": \"é\"}, {\"id\": \"2\"}]";
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    fs::write(home.path().join("a.JSON"), bytes).unwrap();
    let item = find(&folder, "2").unwrap();
    drop(folder.delete(&item).unwrap());
    assert_eq!(files_of(&home)[0].1, "[{\"id\": \"1\", \"n\": \"é\"}]");
}

#[test]
fn what_somebody_else_wrote_meanwhile_stays() {
    let (home, folder) = folder(&[("a.json", "{\"id\": \"1\"}")]);
    let path = home.path().join("a.json");
    let item = find(&folder, "1").unwrap();
    let new = object(&json!({"id": "1", "x": 1}));
    let written = folder.replace(&item, &new).unwrap();
    let theirs = "{\"id\": \"1\", \"theirs\": true}";
    fs::write(&path, theirs).unwrap();
    let changed = FolderError::Changed { path: path.clone() };
    assert_eq!(folder.replace(&item, &new), Err(changed.clone()));
    assert_eq!(folder.delete(&item), Err(changed.clone()));
    assert_eq!(written.put_back(), Err(changed.clone()));
    assert_eq!(files_of(&home), [("a.json".to_owned(), theirs.to_owned())]);

    fs::remove_file(&path).unwrap();
    assert_eq!(folder.replace(&item, &new), Err(changed));
    assert_eq!(files_of(&home), []);
}

#[test]
fn an_object_that_may_be_in_a_file_that_cannot_be_read_is_not_missing() {
    let (_home, folder) = folder(&[
        ("a.json", "{"),
        ("b.json", "{\"id\": \"1\"}"),
        ("c.md", "["),
    ]);
    assert!(find(&folder, "1").is_some());
    let missing = folder.find(|object| object["id"] == "2");
    assert!(
        matches!(missing, Err(FolderError::Unreadable { .. })),
        "{missing:?}"
    );
}

#[test]
fn what_a_process_left_that_ended_in_the_middle_is_removed() {
    let (home, folder) = folder(&[(".boomgate-1.tmp", "{"), (".other", "x")]);
    drop(folder.create("", "1", &Map::new()).unwrap());
    let names: Vec<_> = files_of(&home).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, [".other", "1.json"]);
}

#[test]
fn files_that_are_kept_elsewhere_are_not_written() {
    let (home, folder) = folder(&[("a.json", "{\"id\": \"1\"}")]);
    let other = tempfile::tempdir().unwrap();
    fs::write(other.path().join("b.json"), "{\"id\": \"2\"}").unwrap();
    symlink(other.path().join("b.json"), home.path().join("b.json")).unwrap();
    let is_read_only =
        |result: Result<Written, FolderError>| matches!(result, Err(FolderError::ReadOnly { .. }));
    let (one, linked) = (find(&folder, "1").unwrap(), find(&folder, "2").unwrap());
    assert!(is_read_only(folder.replace(&linked, &Map::new())));
    assert!(is_read_only(folder.delete(&linked)));

    symlink(other.path(), home.path().join("..data")).unwrap();
    assert!(is_read_only(folder.create("", "3", &Map::new())));
    assert!(is_read_only(folder.replace(&one, &Map::new())));
    assert!(is_read_only(folder.delete(&one)));
    assert_eq!(
        fs::read_to_string(other.path().join("b.json")).unwrap(),
        "{\"id\": \"2\"}"
    );
}

#[test]
fn a_file_keeps_its_permissions() {
    use std::os::unix::fs::PermissionsExt;
    let (home, folder) = folder(&[("a.json", "{\"id\": \"1\"}")]);
    let path = home.path().join("a.json");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let item = find(&folder, "1").unwrap();
    drop(folder.replace(&item, &Map::new()).unwrap());
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o640
    );
}
