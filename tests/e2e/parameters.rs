//! Secret parameters of Systems Manager: a run that reads one keeps no value of it in clear.

use crate::{cluster_secrets::all_said, harness::Place, redis_ha::world};

const SCRIPT: &str = r#"const P = params(#{ half: string("of-parameter-store") });
const AWS = aws(#{ region: "us-east-1" });
let db = step("read", || AWS.ssm.get_parameter(#{ name: "/prod/db", with_decryption: true }));
let plain = step("plain", || AWS.ssm.get_parameter(#{ name: "/prod/url" }));
step("pass on", || AWS.secretsmanager.create_secret(#{ name: "db", secret_string: `redis://:${db.value}@cache` }));
output("db", db);
output("url", plain.value);
print(`${db} ${P.half}`);
step("stops", || fail(`with ${db.value}`));
"#;

/// The value stands in no file as a whole, so that finding it means that it was written.
const GIVEN: &str = r#"given:
  - { kind: ssm.parameter, id: /prod/db, body: { type: SecureString, value: "SENTINEL-${param.half}" } }
  - { kind: ssm.parameter, id: /prod/url, body: { value: "https://example.com" } }
"#;

#[test]
fn a_secure_string_is_sealed_in_the_journal_and_passed_on() {
    let place = Place::new();
    place.write("ours.rhai", SCRIPT);
    place.write("ours.rehearsal.yaml", GIVEN);
    let said = all_said(&place);
    assert!(said.contains("RB0323") && said.contains("https://example.com"), "{said}");
    let clear = "SENTINEL-of-parameter-store";
    assert!(!said.contains(clear), "it was said:\n{said}");
    for file in ["runs.db", "runs.db-wal"] {
        let kept = std::fs::read(place.state().join(file)).unwrap_or_default();
        assert!(!kept.windows(clear.len()).any(|window| window == clear.as_bytes()), "it is in {file}");
    }
    let made = world(&place)["objects"].to_string();
    assert!(made.contains("secretsmanager.secret"), "{made}");
    place.expect(0, ["undo", "latest", "--yes"]);
}
