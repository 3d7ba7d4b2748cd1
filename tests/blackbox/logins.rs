//! Each login of the provider block, through the real `terraform`, against the stand-in with a real clock.

use crate::support::{Must, Workspace, World};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mailflow::sandbox::{exchange, gateway};
use mailflow::tool::sandbox::StandIns;
use secrecy::SecretString;

const CERTIFICATE: &str = include_str!("../../src/exchange/login/tests/certificate.pem");
const KEY: &str = include_str!("../../src/exchange/login/tests/key.pem");
const PKCS12: &[u8] = include_bytes!("../../src/exchange/login/tests/modern.p12");
const LEGACY: &[u8] = include_bytes!("../../src/exchange/login/tests/legacy.p12");
const PASSPHRASE: &str = "open-sesame-42";
const OIDC_TOKEN: &str = "token-of-another-issuer-0123456789";

const CONNECTOR: &str = r#"
resource "mailflow_exchange_inbound_connector" "one" {
  name                = "One"
  connector_type      = "Partner"
  sender_domains      = ["*"]
  sender_ip_addresses = ["203.0.113.10"]
}
"#;

fn world() -> World {
    let options = exchange::Options {
        client_certificate: Some(CERTIFICATE.to_owned()),
        federated_token: Some(SecretString::from(OIDC_TOKEN)),
        real_clock: true,
        ..exchange::Options::default()
    };
    World::with(StandIns::with(options, gateway::Options::default()).expect("the stand-ins start"))
}

/// Writes the provider block with these lines of a credential, or none.
fn write_provider(world: &World, workspace: &Workspace<'_>, credential: &str) {
    let service = &world.stand_ins.exchange;
    let url = service.url();
    let block = format!(
        "terraform {{
  required_providers {{
    mailflow = {{ source = \"mailflow/mailflow\" }}
  }}
}}

provider \"mailflow\" {{
  exchange {{
    tenant_id    = {:?}
    login_url    = {url:?}
    exchange_url = {url:?}
    graph_url    = {url:?}
    {credential}
  }}
}}
",
        service.tenant(),
    );
    std::fs::write(workspace.folder.join("provider.tf"), block).expect("written");
}

/// Makes sure that nothing of the machine's own environment takes part, and that the log is whole.
fn quiet<'e>(client_id: &'e str, more: &[(&'e str, &'e str)]) -> Vec<(&'e str, &'e str)> {
    let none = [
        "ARM_CLIENT_SECRET",
        "AZURE_CLIENT_SECRET",
        "ARM_CLIENT_CERTIFICATE",
        "ARM_CLIENT_CERTIFICATE_PATH",
        "AZURE_CLIENT_CERTIFICATE_PATH",
        "ARM_OIDC_TOKEN",
        "ARM_OIDC_TOKEN_FILE_PATH",
        "AZURE_FEDERATED_TOKEN_FILE",
        "ACTIONS_ID_TOKEN_REQUEST_URL",
        "ARM_USE_OIDC",
    ];
    let mut all: Vec<_> = none.into_iter().map(|name| (name, "")).collect();
    all.extend([("ARM_CLIENT_ID", client_id), ("TF_LOG_PROVIDER", "TRACE")]);
    all.extend(more);
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn every_login_reads_the_tenant_and_leaves_no_trace_of_itself() {
    let world = world();
    let service = &world.stand_ins.exchange;
    let workspace = world.workspace("logins").await;
    let (client_id, secret) = (service.client_id(), service.client_secret());
    workspace.write(CONNECTOR);
    write_provider(&world, &workspace, "");
    let applied = workspace
        .run_with(&["apply", "-auto-approve", "-no-color"], &quiet(&client_id, &[("ARM_CLIENT_SECRET", &secret)]))
        .await
        .must("apply with a secret");
    let pem = format!("{CERTIFICATE}{KEY}");
    std::fs::write(workspace.folder.join("login.pem"), &pem).expect("written");
    std::fs::write(workspace.folder.join("login.pfx"), LEGACY).expect("written");
    std::fs::write(workspace.folder.join("token"), OIDC_TOKEN).expect("written");
    let pkcs12 = STANDARD.encode(PKCS12);

    let mut logs = applied.stderr;
    for (what, credential, variables) in [
        ("a certificate as text", format!("client_certificate = {pem:?}"), vec![]),
        ("a certificate in a file", "client_certificate_path = \"login.pem\"".to_owned(), vec![]),
        (
            "PKCS#12 as text",
            String::new(),
            vec![("ARM_CLIENT_CERTIFICATE", pkcs12.as_str()), ("ARM_CLIENT_CERTIFICATE_PASSWORD", PASSPHRASE)],
        ),
        (
            "PKCS#12 in a file",
            format!("client_certificate_path = \"login.pfx\"\n    client_certificate_password = {PASSPHRASE:?}"),
            vec![],
        ),
        ("an OIDC token", "use_oidc = true".to_owned(), vec![("ARM_OIDC_TOKEN", OIDC_TOKEN)]),
        ("the OIDC token of HCP Terraform", String::new(), vec![("TFC_WORKLOAD_IDENTITY_TOKEN", OIDC_TOKEN)]),
        ("an OIDC token in a file", "oidc_token_file_path = \"token\"".to_owned(), vec![]),
    ] {
        write_provider(&world, &workspace, &credential);
        let before = service.counts().tokens_issued.values().sum::<u64>();
        let plan = workspace.run_with(&["plan", "-no-color", "-detailed-exitcode"], &quiet(&client_id, &variables)).await;
        assert_eq!(plan.code, Some(0), "{what}:\n{}\n{}", plan.stdout, plan.stderr);
        assert!(service.counts().tokens_issued.values().sum::<u64>() > before, "{what}: no token was asked for");
        logs.push_str(&plan.stderr);
    }

    assert!(logs.contains("asked for a token") && logs.contains("client certificate"), "the log is there");
    let key_line = KEY.lines().nth(5).expect("a line of the key");
    // What assertions and tokens begin with.
    for hidden in [secret.as_str(), PASSPHRASE, OIDC_TOKEN, key_line, &pkcs12[..40], "eyJ"] {
        assert!(!logs.contains(hidden), "the log holds {hidden}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c16_a_credential_that_cannot_be_used_is_an_error_on_its_attribute() {
    let world = world();
    let client_id = world.stand_ins.exchange.client_id();
    let workspace = world.workspace("refused").await;
    workspace.write(CONNECTOR);
    std::fs::write(workspace.folder.join("login.pfx"), PKCS12).expect("written");
    for (credential, variables, said) in [
        ("", vec![], ["no credential for Microsoft 365", "ARM_CLIENT_CERTIFICATE_PATH"]),
        ("client_secret = \"not-this-one\"\n    use_oidc = true", vec![], ["exchange.client_secret and", "two credentials"]),
        (
            "client_certificate_path = \"login.pfx\"\n    client_certificate_password = \"not-this-one\"",
            vec![],
            ["ARM_CLIENT_CERTIFICATE_PASSWORD", "passphrase is wrong"],
        ),
        ("", vec![("ARM_CLIENT_CERTIFICATE", "not-this-one")], ["exchange.client_certificate`", "PKCS#12"]),
        ("", vec![("ARM_CLIENT_SECRET", "not-this-one")], ["AADSTS7000215", "exchange.client_secret"]),
        ("use_oidc = true", vec![("ARM_OIDC_TOKEN", "not-this-one")], ["Microsoft Entra gave no token", "OIDC token"]),
    ] {
        write_provider(&world, &workspace, credential);
        let outcome = workspace.run_with(&["apply", "-auto-approve", "-no-color"], &quiet(&client_id, &variables)).await;
        // The host breaks lines at its own places.
        let shown: String = outcome.stderr.replace("\u{2502}", " ").split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(outcome.code, Some(1), "{credential}: {shown}");
        for word in said {
            assert!(shown.contains(word), "{credential}: {word}: {shown}");
        }
        assert!(!shown.split("on provider.tf").next().unwrap_or_default().contains("not-this-one"), "{shown}");
    }
}
