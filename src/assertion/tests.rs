use super::*;

const HOUR: Duration = Duration::from_secs(3600);

fn made(before: Option<&Signer>, now: Timestamp) -> Signer {
    let settings = AssertionSettings {
        issuer: "https://gate.test".into(),
        lifetime: Duration::from_secs(60),
        keys: KeySource::Made(HOUR),
    };
    Signer::new(&settings, before, now).unwrap()
}

fn ids(signer: &Signer, now: Timestamp) -> Vec<String> {
    let set = signer.key_set(now);
    let keys = set["keys"].as_array().unwrap().iter();
    keys.map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_key_is_known_a_turn_before_it_signs_and_a_turn_after() {
    let now = Timestamp::from_seconds(1_700_000_000);
    let signer = made(None, now);
    let first = ids(&signer, now);
    assert_eq!(first.len(), 2);
    assert_eq!(
        ids(&signer, now.after(HOUR - Duration::from_secs(1))),
        first
    );

    let second = ids(&signer, now.after(HOUR));
    assert_eq!(second.len(), 3);
    assert_eq!(second[..2], first[..]);
    let third = ids(&signer, now.after(HOUR * 2));
    assert_eq!(third[..2], second[1..]);
    // A clock that was put back turns nothing.
    assert_eq!(ids(&signer, now), third);
}

#[test]
fn keys_in_memory_outlive_a_reload_and_keys_of_files_do_not_mix_with_them() {
    let now = Timestamp::from_seconds(1_700_000_000);
    let before = made(None, now);
    let after = made(Some(&before), now);
    assert_eq!(ids(&after, now), ids(&before, now));

    let key = Arc::new(SigningKey::make().unwrap());
    let settings = AssertionSettings {
        issuer: "https://gate.test".into(),
        lifetime: Duration::from_secs(60),
        keys: KeySource::Given(vec![Arc::clone(&key)]),
    };
    let given = Signer::new(&settings, Some(&before), now).unwrap();
    assert_eq!(ids(&given, now), [key.to_jwk()["kid"].as_str().unwrap()]);
}

#[test]
fn what_is_no_key_on_p256_is_refused_and_no_key_is_shown() {
    assert_eq!(SigningKey::from_pem(b"nothing").err(), Some(KeyError::Pem));
    for algorithm in [&rcgen::PKCS_ECDSA_P384_SHA384, &rcgen::PKCS_ED25519] {
        let pem = rcgen::KeyPair::generate_for(algorithm)
            .unwrap()
            .serialize_pem();
        let key = SigningKey::from_pem(pem.as_bytes());
        assert_eq!(key.err(), Some(KeyError::Kind));
    }
    let pem = rcgen::KeyPair::generate().unwrap().serialize_pem();
    let key = SigningKey::from_pem(pem.as_bytes()).unwrap();
    let id = key.to_jwk()["kid"].as_str().unwrap().to_owned();
    assert_eq!(
        format!("{key:?}"),
        format!("SigningKey {{ id: {id:?}, .. }}")
    );
}
