//! Vectors of claims: each token has a good signature.

use boomgate::identity::settings::Algorithm;
use boomgate::types::Reason;
use serde_json::{Value, json};

use super::Table;
use super::world::{
    API, HUMAN, KEYS, NOW, STRICT, TENANT, entra, entra_claims, entra_issuers, loose, strict,
    strict_claims, strict_payload,
};

pub(super) fn refused_claims(table: &mut Table) {
    const REFUSED: Reason = Reason::TokenClaimsRefused;
    let same = json!({});
    for name in ["iss", "aud", "exp", "sub"] {
        let changes = json!({name:null, "client_id":null});
        table.refuse(REFUSED, format!("no {name}"), strict(&same, &changes));
    }
    for (name, changes) in [
        ("iss as a list", json!({"iss":["evil",STRICT]})),
        ("iss as a list of one", json!({"iss":[STRICT]})),
        ("iss as a number", json!({"iss":5})),
        ("aud as a number", json!({"aud":5})),
        ("aud as an object", json!({"aud":{}})),
        ("aud with a number in it", json!({"aud":[API,5]})),
        ("sub as a number", json!({"sub":5})),
        ("sub that is empty", json!({"sub":""})),
        ("sub with line ends", json!({"sub":"a\r\nb"})),
        ("sub with NUL", json!({"sub":"a\u{0}"})),
        ("sub with a blank", json!({"sub":"a b"})),
        ("sub that is long", json!({"sub":"a".repeat(600)})),
        ("jti as a number", json!({"jti":1})),
        ("azp as a list", json!({"azp":[]})),
        ("oid as an object", json!({"oid":{}})),
        ("the mapped claim as a number", json!({"client_id":7})),
        ("the mapped claim that is empty", json!({"client_id":""})),
        ("scope as a number", json!({"scope":7})),
        ("roles with a number in it", json!({"roles":["a",7]})),
    ] {
        table.refuse(REFUSED, name, strict(&same, &changes));
    }
    for claim in ["exp", "iss", "aud", "sub"] {
        let claims = strict_claims().to_string();
        let mut value: Value = serde_json::from_str(&claims).unwrap();
        value[claim] = Value::Null;
        table.refuse(
            REFUSED,
            format!("{claim} that is null"),
            strict_payload(&value.to_string()),
        );
    }
    for (name, changes) in [
        ("Entra without tid", json!({"tid":null})),
        ("Entra without oid and sub", json!({"oid":null,"sub":null})),
        ("Entra with two clients", json!({"appid":HUMAN})),
        (
            "Entra, an agent that is not its own subject",
            json!({"oid":HUMAN,"xms_act_fct":"11","xms_sub_fct":"11"}),
        ),
        (
            "Entra, an agent user that is its agent",
            json!({"xms_act_fct":"11","xms_sub_fct":"13"}),
        ),
        (
            "Entra, a subject that is both",
            json!({"oid":HUMAN,"xms_act_fct":"11","xms_sub_fct":"11 13"}),
        ),
        (
            "Entra, an agent user of no agent",
            json!({"oid":HUMAN,"xms_act_fct":"3","xms_sub_fct":"13"}),
        ),
        (
            "Entra, an app with somebody else as subject",
            json!({"oid":HUMAN,"xms_act_fct":"11","idtyp":"app"}),
        ),
        (
            "Entra, a blueprint that is a number",
            json!({"xms_par_app_azp":7}),
        ),
        ("Entra, roles as an object", json!({"roles":{}})),
    ] {
        table.refuse(REFUSED, name, entra(&same, &changes));
    }
}

#[expect(clippy::too_many_lines, reason = "a table: one row per vector")]
pub(super) fn refused_times(table: &mut Table) {
    let same = json!({});
    for (reason, name, changes) in [
        (
            Reason::TokenExpired,
            "exp at the end of the leeway",
            json!({"exp":NOW - 5,"iat":NOW - 600}),
        ),
        (
            Reason::TokenExpired,
            "exp long ago",
            json!({"exp":1,"iat":0}),
        ),
        (
            Reason::TokenExpired,
            "exp of 0",
            json!({"exp":0,"iat":null}),
        ),
        (
            Reason::TokenNotYetValid,
            "nbf just beyond the leeway",
            json!({"nbf":NOW + 6}),
        ),
        (
            Reason::TokenNotYetValid,
            "iat just beyond the leeway",
            json!({"iat":NOW + 6}),
        ),
        (
            Reason::TokenNotYetValid,
            "iat in 2096",
            json!({"iat":3_976_214_400_i64,"exp":3_976_214_500_i64}),
        ),
        (
            Reason::TokenClaimsRefused,
            "a life longer than the issuer's",
            json!({"exp":NOW + 86_401}),
        ),
        (
            Reason::TokenClaimsRefused,
            "a long life without iat",
            json!({"exp":NOW + 90_000,"iat":null}),
        ),
        (
            Reason::TokenClaimsRefused,
            "exp before iat",
            json!({"exp":NOW - 1,"iat":NOW}),
        ),
        (
            Reason::TokenClaimsRefused,
            "exp as text",
            json!({"exp":"never"}),
        ),
        (
            Reason::TokenClaimsRefused,
            "exp as a number in text",
            json!({"exp":"1795000600"}),
        ),
        (
            Reason::TokenClaimsRefused,
            "nbf as a number in text",
            json!({"nbf":"9999999999"}),
        ),
        (
            Reason::TokenClaimsRefused,
            "iat as text",
            json!({"iat":"x"}),
        ),
        (
            Reason::TokenClaimsRefused,
            "iat as a list",
            json!({"iat":[NOW]}),
        ),
        (
            Reason::TokenClaimsRefused,
            "exp below zero",
            json!({"exp":-1}),
        ),
        (Reason::TokenClaimsRefused, "exp 1e18", json!({"exp":1e18})),
        (Reason::TokenClaimsRefused, "exp 1e19", json!({"exp":1e19})),
        (
            Reason::TokenClaimsRefused,
            "exp beyond the calendar",
            json!({"exp":253_402_300_800_i64}),
        ),
        (
            Reason::TokenClaimsRefused,
            "exp as true",
            json!({"exp":true}),
        ),
    ] {
        table.refuse(reason, name, strict(&same, &changes));
    }
}

#[expect(clippy::too_many_lines, reason = "a table: one row per vector")]
pub(super) fn refused_issuers_and_audiences(table: &mut Table) {
    let same = json!({});
    for iss in [
        "https://evil.example",
        "https://strict.example/",
        "HTTPS://strict.example",
        "https://strictXexample",
        "strict",
    ] {
        let token = strict(&same, &json!({"iss":iss}));
        table.refuse(Reason::TokenIssuerRefused, format!("iss `{iss}`"), token);
    }
    let [v1, v2] = entra_issuers();
    let foreign = v2.replace(TENANT, HUMAN);
    for (name, header, claims) in [
        (
            "Entra, another tenant",
            json!({}),
            json!({"iss":foreign,"tid":HUMAN}),
        ),
        (
            "Entra, tid of another tenant",
            json!({}),
            json!({"tid":HUMAN}),
        ),
        (
            "Entra, v1 issuer without its slash",
            json!({}),
            json!({"iss":v1.trim_end_matches('/')}),
        ),
        (
            "Entra, the template as issuer",
            json!({}),
            json!({"iss":v2.replace(TENANT, "{tenantid}")}),
        ),
    ] {
        table.refuse(Reason::TokenIssuerRefused, name, entra(&header, &claims));
    }
    let header = json!({"alg":"ES256","kid":"foreign","typ":"JWT"}).to_string();
    let token = KEYS.token(Algorithm::Es256, &header, &entra_claims().to_string());
    table.refuse(
        Reason::TokenIssuerRefused,
        "Entra, a key of another tenant",
        token,
    );
    for aud in [
        "",
        "api",
        "API://HR",
        "api://hr/",
        "api://hr/x",
        "api://hr@evil@corp",
        "x api://hr",
        "api://hr,x",
        "apiX//hr",
    ] {
        let token = strict(&same, &json!({"aud":aud}));
        table.refuse(Reason::TokenAudienceRefused, format!("aud `{aud}`"), token);
    }
    table.refuse(
        Reason::TokenAudienceRefused,
        "aud, an empty list",
        strict(&same, &json!({"aud":[]})),
    );
    table.refuse(
        Reason::TokenAudienceRefused,
        "aud, a list of others",
        strict(&same, &json!({"aud":["x","y"]})),
    );
    table.refuse(
        Reason::TokenAudienceRefused,
        "an audience of Graph",
        entra(&same, &json!({"aud":"https://graph.microsoft.com"})),
    );
    for aud in [
        "api://AzureADTokenExchange",
        "api://AzureADTokenExchangeChina",
        "fb60f99c-7a34-4190-8149-302f77469936",
    ] {
        let token = entra(&same, &json!({"aud":[API,aud]}));
        table.refuse(
            Reason::TokenAudienceRefused,
            format!("an exchange token for `{aud}`"),
            token,
        );
    }
    let sub = "/eid1/c/pub/t/Ugwdeg4_G0uaUQyNXi8aAA/a/sbGxsQAAAECAAAAAAAAAAQ/a9a9a9a9-0000-4000-8000-000000000002";
    table.refuse(
        Reason::TokenAudienceRefused,
        "an exchange token by its subject",
        entra(&same, &json!({"sub":sub})),
    );
    let keyless = strict(&same, &json!({"iss":"https://keyless.example"}));
    table.refuse(
        Reason::KeysUnavailable,
        "an issuer whose keys were never loaded",
        keyless,
    );
}

pub(super) fn refused_uses(table: &mut Table) {
    const REFUSED: Reason = Reason::TokenTypeRefused;
    let same = json!({});
    for typ in [
        "JWT",
        "dpop+jwt",
        "logout+jwt",
        "secevent+jwt",
        "application/secevent+jwt",
        "kb+jwt",
        "",
        "at+jwt ",
        "text/at+jwt",
        "application/application/at+jwt",
    ] {
        let token = strict(&json!({"typ":typ}), &same);
        table.refuse(REFUSED, format!("typ `{typ}`"), token);
    }
    table.refuse(
        REFUSED,
        "no typ where it is needed",
        strict(&json!({"typ":null}), &same),
    );
    table.refuse(
        REFUSED,
        "no typ for Entra",
        entra(&json!({"typ":null}), &same),
    );
    table.refuse(
        REFUSED,
        "a DPoP proof, though its typ is listed",
        loose(&json!({"typ":"dpop+jwt"}), &same),
    );
    for claim in ["nonce", "at_hash", "c_hash", "s_hash"] {
        let token = loose(&same, &json!({claim:"x"}));
        table.refuse(REFUSED, format!("an ID token by its {claim}"), token);
    }
    table.refuse(
        REFUSED,
        "an ID token without typ",
        loose(&json!({"typ":null}), &json!({"nonce":"x"})),
    );
    let events = json!({"events":{"http://schemas.openid.net/event/backchannel-logout":{}}});
    table.refuse(
        REFUSED,
        "a logout token that is typed JWT",
        loose(&same, &events),
    );
    table.refuse(
        REFUSED,
        "an ID token of Entra: no client",
        entra(&same, &json!({"azp":null})),
    );
    table.refuse(
        REFUSED,
        "an ID token of Entra: a nonce",
        entra(&same, &json!({"nonce":"x"})),
    );
}
