//! `boomgate what-if` as an operator runs it, and that it says what the gateway does.

mod agreement;
mod gateway;
mod reasons;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::config::support::{Folder, TOKEN};

/// What a run printed, and its exit code.
struct Run {
    out: String,
    err: String,
    code: i32,
}

impl Run {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("{}{}", self.out, self.err))
    }
}

/// Runs the program on the configuration in a folder.
fn what_if(folder: &Folder, arguments: &[&str]) -> Run {
    let done = Command::new(env!("CARGO_BIN_EXE_boomgate"))
        .arg("what-if")
        .arg("--config")
        .arg(folder.path("boomgate.yaml"))
        .args(arguments)
        .env("BOOMGATE_ADMIN_TOKEN", TOKEN)
        .output()
        .unwrap();
    Run {
        out: String::from_utf8(done.stdout).unwrap(),
        err: String::from_utf8(done.stderr).unwrap(),
        code: done.status.code().unwrap(),
    }
}

#[test]
fn prints_a_table_and_the_verdict_for_the_reference() {
    let folder = Folder::with_reference();
    let arguments = ["--agent", "compromised-agent", "--path", "/hr/people/%37"];
    let run = what_if(&folder, &arguments);
    let expected = "\
caller    agent identity compromised-agent (a9a9a9a9-0000-4000-8000-000000000032), blueprint HR assistant (b1b1b1b1-0000-4000-8000-000000000001)
resource  hr-api (e5e5e5e5-0000-4000-8000-000000000005)
call      GET /hr/people/7, operation read-person
          its token must have People.Read or People.Read.All, which is not judged here
risk      high (what is known, inheritance included)

POLICY                                         STATE        APPLIES               OUTCOME
Agents - allow only approved agents            enforced     no: agentIdentities   notApplied
Agents - block high risk agent identities      enforced     yes                   failure
Agent users - block medium and high risk       enforced     no: agentIdentities   notApplied
Agents - close HR resources to finance agents  enforced     no: agentIdentities   notApplied
Agents - block agent identities at any risk    report-only  yes                   reportOnlyFailure
Agents - block all agent identities            disabled     no: policyNotEnabled  notEnabled

block (blocked_by_policy): policy blocks the agent: `Agents - block high risk agent identities`
";
    assert_eq!(
        (run.out.as_str(), run.err.as_str(), run.code),
        (expected, "", 0)
    );
}

#[test]
fn prints_graphs_list_with_the_policies_as_they_were_exported() {
    let folder = Folder::with_reference();
    // A member that nobody knows, and that says nothing of agents, stays where it is.
    let path = folder.path("policies/block-all-agents.json");
    let mut policy: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    policy["inventedLater"] =
        json!({"@odata.type": "#microsoft.graph.later", "x@odata.context": "y", "n": [1.5, null]});
    std::fs::write(&path, policy.to_string()).unwrap();

    let arguments = [
        "--agent",
        "hr-agent",
        "--resource",
        "hr-api",
        "--output",
        "json",
    ];
    let run = what_if(&folder, &arguments);
    assert_eq!(run.code, 0, "{}", run.err);
    let answer = run.json();
    let context = "https://graph.microsoft.com/beta/$metadata#Collection(microsoft.graph.whatIfAnalysisResult)";
    assert_eq!(answer["@odata.context"], context);
    assert_eq!(answer.as_object().unwrap().len(), 2);
    let mut exported = exported(&folder.path("policies"));
    let mut seen = Vec::new();
    for result in answer["value"].as_array().unwrap() {
        let mut policy = result.clone();
        let members = policy.as_object_mut().unwrap();
        let applies = members.remove("policyApplies").unwrap();
        let reasons = members.remove("analysisReasons").unwrap();
        assert_eq!(applies == true, reasons == "notSet");
        let id = policy["id"].as_str().unwrap();
        let mut expected = exported.remove(id).unwrap();
        expected.as_object_mut().unwrap().remove("@odata.context");
        if let Some(later) = expected.get_mut("inventedLater") {
            later.as_object_mut().unwrap().remove("x@odata.context");
        }
        assert_eq!(policy, expected);
        seen.push((
            id.trim_start_matches("10000000-0000-4000-8000-00000000000")
                .to_owned(),
            reasons,
        ));
    }
    assert!(exported.is_empty(), "{exported:?}");
    let expected = [
        "agentIdentities",
        "agentIdRisk",
        "agentIdentities",
        "agentIdentities",
        "notSet",
        "policyNotEnabled",
    ];
    let reasons: Vec<_> = seen
        .iter()
        .map(|(_, reason)| reason.as_str().unwrap())
        .collect();
    assert_eq!(reasons, expected, "{seen:?}");
}

/// The policies of a folder by id.
fn exported(folder: &Path) -> BTreeMap<String, Value> {
    let files = std::fs::read_dir(folder).unwrap();
    let policies = files.map(|file| {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        serde_json::from_slice::<Value>(&bytes).unwrap()
    });
    policies
        .map(|policy| (policy["id"].as_str().unwrap().to_owned(), policy))
        .collect()
}

#[test]
fn asks_for_every_kind_of_caller_by_id_and_by_name() {
    let folder = Folder::with_reference();
    let hr = "agent identity hr-agent (a9a9a9a9-0000-4000-8000-000000000002), blueprint HR assistant (b1b1b1b1-0000-4000-8000-000000000001)";
    let new = "an agent identity that does not exist yet, blueprint HR assistant (b1b1b1b1-0000-4000-8000-000000000001)";
    let user =
        format!("agent user HR agent (agent user) (c3c3c3c3-0000-4000-8000-000000000003) of {hr}");
    let discovered = "agent identity spiffe://t/a, which the directory does not know";
    let allow = "allow (no_policy_blocked)";
    let block = "block (blocked_by_policy)";
    let cases: [(&[&str], &str, &str); 13] = [
        (
            &["--agent", "A9A9A9A9-0000-4000-8000-000000000002"],
            hr,
            allow,
        ),
        (&["--agent", "HR-Agent"], hr, allow),
        (&["--agent", "hr-agent", "--risk", "high"], hr, block),
        (
            &["--agent", "hr-agent", "--risk", "unknown"],
            hr,
            "block (facts_unavailable)",
        ),
        (
            &["--agent", "spiffe://t/a", "--discovered"],
            discovered,
            block,
        ),
        (
            &["--blueprint", "b1b1b1b1-0000-4000-8000-000000000001"],
            new,
            block,
        ),
        (
            &["--blueprint", "b1b1b1b1-0000-4000-8000-0000000000a1"],
            new,
            block,
        ),
        (&["--blueprint", "HR assistant"], new, block),
        (
            &["--agent-user", "c3c3c3c3-0000-4000-8000-000000000003"],
            &user,
            allow,
        ),
        (
            &[
                "--agent-user",
                "hr-agent@contoso.example",
                "--risk",
                "medium",
            ],
            &user,
            block,
        ),
        (
            &["--agent", "hr-agent", "--on-behalf-of", "d4d4"],
            &format!("{hr} for the human d4d4"),
            allow,
        ),
        (
            &[
                "--agent",
                "hr-agent",
                "--on-behalf-of",
                "c3c3c3c3-0000-4000-8000-000000000003",
            ],
            &user,
            allow,
        ),
        (&["--not-an-agent"], "not an agent", "block (not_an_agent)"),
    ];
    for (arguments, caller, verdict) in cases {
        for resource in ["hr-api", "HR API", "e5e5e5e5-0000-4000-8000-000000000005"] {
            let run = what_if(&folder, &[arguments, &["--resource", resource]].concat());
            assert_eq!((run.code, run.err.as_str()), (0, ""), "{arguments:?}");
            assert_eq!(
                run.out.lines().next(),
                Some(format!("caller    {caller}").as_str())
            );
            assert!(
                run.out.lines().last().unwrap().starts_with(verdict),
                "{arguments:?} {}",
                run.out
            );
        }
    }
}

#[test]
fn names_who_or_what_is_not_there() {
    let folder = Folder::with_reference();
    let agents = folder.path("agents/twins.json");
    let twin = |at: u8| {
        json!({"@odata.type": "#microsoft.graph.agentIdentity", "displayName": "Twin", "accountEnabled": true,
        "id": format!("a9a9a9a9-0000-4000-8000-0000000001{at}2"), "agentIdentityBlueprintId": "b1b1b1b1-0000-4000-8000-000000000001"})
    };
    std::fs::write(agents, json!([twin(1), twin(2)]).to_string()).unwrap();
    let here = ["--resource", "hr-api"];
    let cases: [(&[&str], &[&str], &str); 13] = [
        (
            &["--agent", "hr-agnet"],
            &here,
            "no agent identity `hr-agnet`",
        ),
        (
            &["--agent", "a b", "--discovered"],
            &here,
            "no agent identity `a b`",
        ),
        (
            &["--agent", "twin"],
            &here,
            "ids a9a9a9a9-0000-4000-8000-000000000112, a9a9a9a9-0000-4000-8000-000000000122",
        ),
        (
            &[
                "--agent",
                "c3c3c3c3-0000-4000-8000-000000000003",
                "--discovered",
            ],
            &here,
            "`--agent-user`",
        ),
        (&["--blueprint", "x"], &here, "no blueprint `x`"),
        (
            &["--agent-user", "hr-agent"],
            &here,
            "no agent user `hr-agent`",
        ),
        (
            &[
                "--agent",
                "finance-agent",
                "--on-behalf-of",
                "c3c3c3c3-0000-4000-8000-000000000003",
            ],
            &here,
            "is another agent",
        ),
        (
            &["--agent", "hr-agent"],
            &["--resource", "x"],
            "there are: hr-api, finance-api",
        ),
        (&["--agent", "hr-agent"], &["--path", "/x"], "would get 404"),
        (
            &["--agent", "hr-agent"],
            &["--path", "/hr", "--host", "elsewhere.example"],
            "would get 404",
        ),
        (
            &["--agent", "hr-agent"],
            &["--path", "/hr/../finance"],
            "dot segment",
        ),
        (
            &["--agent", "hr-agent"],
            &["--path", "/hr", "--method", "TRACE"],
            "never forwarded",
        ),
        (
            &["--agent", "hr-agent"],
            &["--path", "/hr", "--host", "a b"],
            "not a host",
        ),
    ];
    for (subject, call, message) in cases {
        let run = what_if(&folder, &[subject, call].concat());
        assert_eq!(
            (run.code, run.out.as_str()),
            (65, ""),
            "{subject:?} {call:?}"
        );
        assert!(run.err.contains(message), "{}", run.err);
    }
}

#[test]
fn a_path_of_several_resources_needs_a_host() {
    let folder = Folder::with_reference();
    folder.replace(
        "hosts: [api.example.com, localhost, 127.0.0.1]\n    path_prefixes: [/finance]",
        "hosts: ['*.example.org']\n    path_prefixes: [/hr]",
    );
    let ask = |more: &[&str]| {
        what_if(
            &folder,
            &[&["--agent", "hr-agent", "--path", "/hr/people/7"], more].concat(),
        )
    };
    let run = ask(&[]);
    assert_eq!(run.code, 65);
    assert!(
        run.err.contains("several resources (hr-api, finance-api)")
            || run.err.contains("several resources (finance-api, hr-api)"),
        "{}",
        run.err
    );
    assert!(
        ask(&["--host", "x.example.org"])
            .out
            .contains("resource  finance-api")
    );
    let run = ask(&["--host", "LOCALHOST", "--method", "DELETE"]);
    assert!(
        run.out
            .contains("call      DELETE /hr/people/7, operation change-person"),
        "{}",
        run.out
    );
}

#[test]
fn wrong_usage_and_a_bad_configuration_have_their_own_exit_codes() {
    let folder = Folder::with_reference();
    for arguments in [
        &["--agent", "hr-agent"][..],
        &["--resource", "hr-api"],
        &["--resource", "hr-api", "--on-behalf-of", "x"],
        &["--agent", "a", "--not-an-agent", "--resource", "hr-api"],
        &["--not-an-agent", "--risk", "low", "--resource", "hr-api"],
        &["--agent", "a", "--resource", "hr-api", "--path", "/hr"],
        &["--agent", "a", "--resource", "hr-api", "--method", "GET"],
    ] {
        assert_eq!(what_if(&folder, arguments).code, 2, "{arguments:?}");
    }
    folder.append("\nnonsense: 1\n");
    let run = what_if(&folder, &["--agent", "hr-agent", "--resource", "hr-api"]);
    assert_eq!((run.code, run.out.as_str()), (78, ""));
    assert!(run.err.contains("nonsense"), "{}", run.err);
}
