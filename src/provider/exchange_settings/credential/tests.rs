use super::*;
use crate::provider::exchange_settings::{check, read};
use crate::provider::side::Side;

fn config(members: &[(&str, Value)]) -> Record {
    let members = [("tenant_id", Value::text("contoso.onmicrosoft.com"))].into_iter().chain(members.iter().cloned());
    Record::new().with("exchange", Value::object(members))
}

fn environment(variables: &[(&str, &str)]) -> Environment {
    let client = [("ARM_CLIENT_ID", "app")];
    Environment::of(client.iter().chain(variables).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

fn find(block: &[(&str, Value)], variables: &[(&str, &str)]) -> Result<Side<Credential>, Diagnostics> {
    read(&config(block), &environment(variables)).map(|side| match side {
        Side::Ready(settings) => Side::Ready(settings.credential),
        Side::Unknown(path) => Side::Unknown(path),
        Side::Absent => Side::Absent,
    })
}

/// What a credential is and where it comes from, in words.
fn told(credential: &Credential) -> String {
    use secrecy::ExposeSecret as _;
    match credential {
        Credential::Application { client_id, proof } => {
            assert_eq!(client_id, "app");
            match proof {
                Proof::Secret(secret) => format!("secret {}", secret.expose_secret()),
                Proof::Certificate { source, password } => {
                    let password = password.as_ref().map_or(String::new(), |word| format!(" opened by {}", word.expose_secret()));
                    match source {
                        CertificateSource::Text(text) => format!("certificate {}{password}", text.expose_secret()),
                        CertificateSource::File(path) => format!("certificate in {}{password}", path.display()),
                    }
                }
                Proof::Federated(OidcSource::Token(token)) => format!("token {}", token.expose_secret()),
                Proof::Federated(OidcSource::File(path)) => format!("token in {}", path.display()),
                Proof::Federated(OidcSource::GitHub { url, token, audience }) => {
                    format!("GitHub {url} {} {audience:?}", token.expose_secret())
                }
                Proof::Federated(OidcSource::AzurePipelines { url, token, service_connection }) => {
                    format!("pipelines {url} {} {service_connection}", token.expose_secret())
                }
            }
        }
        Credential::ManagedIdentity { client_id, endpoint } => match endpoint {
            IdentityEndpoint::Metadata(url) => format!("identity {client_id:?} at {:?}", url.as_ref().map(Url::as_str)),
            IdentityEndpoint::Platform { url, header } => format!("identity {client_id:?} of {url} {}", header.expose_secret()),
        },
        Credential::AzureCli { search_path } => format!("az in {search_path}"),
    }
}

#[track_caller]
fn check_found(block: &[(&str, Value)], variables: &[(&str, &str)], wanted: &str) {
    match find(block, variables) {
        Ok(Side::Ready(credential)) => assert_eq!(told(&credential), wanted),
        other => panic!("{wanted}: {other:?}"),
    }
}

fn text(value: &str) -> Value {
    Value::text(value)
}

#[test]
fn each_kind_is_taken_from_the_block() {
    let yes = Value::Bool(true);
    check_found(&[("client_secret", text("s"))], &[], "secret s");
    check_found(&[("client_certificate", text("PEM"))], &[], "certificate PEM");
    check_found(
        &[("client_certificate_path", text("a.pfx")), ("client_certificate_password", text("p"))],
        &[],
        "certificate in a.pfx opened by p",
    );
    check_found(&[("oidc_token", text("t"))], &[], "token t");
    check_found(&[("use_oidc", yes.clone()), ("oidc_token_file_path", text("f"))], &[], "token in f");
    check_found(
        &[("oidc_request_url", text("https://h/?a=b")), ("oidc_request_token", text("t"))],
        &[],
        "GitHub https://h/?a=b t None",
    );
    check_found(&[("use_msi", yes.clone())], &[], "identity Some(\"app\") at None");
    check_found(
        &[("use_msi", yes.clone()), ("msi_endpoint", text("http://127.0.0.1/x"))],
        &[],
        "identity Some(\"app\") at Some(\"http://127.0.0.1/x\")",
    );
    check_found(&[("use_cli", yes)], &[("PATH", "/bin")], "az in /bin");
}

#[test]
fn each_kind_is_taken_from_the_environment() {
    for (variables, wanted) in [
        (&[("ARM_CLIENT_SECRET", "s")][..], "secret s"),
        (&[("AZURE_CLIENT_SECRET", "s")], "secret s"),
        (&[("ARM_CLIENT_CERTIFICATE", "PEM"), ("ARM_CLIENT_CERTIFICATE_PASSWORD", "p")], "certificate PEM opened by p"),
        (&[("ARM_CLIENT_CERTIFICATE_PATH", "a.pfx")], "certificate in a.pfx"),
        (
            &[("AZURE_CLIENT_CERTIFICATE_PATH", "a.pfx"), ("AZURE_CLIENT_CERTIFICATE_PASSWORD", "p")],
            "certificate in a.pfx opened by p",
        ),
        (&[("ARM_USE_OIDC", "true"), ("ARM_OIDC_TOKEN", "t")], "token t"),
        (&[("ARM_OIDC_TOKEN_FILE_PATH", "f")], "token in f"),
        (&[("ARM_USE_MSI", "true")], "identity Some(\"app\") at None"),
        (
            &[("ARM_USE_MSI", "1"), ("IDENTITY_ENDPOINT", "http://localhost:42356/msi/token"), ("IDENTITY_HEADER", "h")],
            "identity Some(\"app\") of http://localhost:42356/msi/token h",
        ),
        (
            &[
                ("ARM_USE_MSI", "1"),
                ("ARM_MSI_ENDPOINT", "http://127.0.0.1/x"),
                ("IDENTITY_ENDPOINT", "http://localhost/y"),
                ("IDENTITY_HEADER", "h"),
            ],
            "identity Some(\"app\") at Some(\"http://127.0.0.1/x\")",
        ),
        (&[("ARM_USE_CLI", "TRUE"), ("PATH", "/bin")], "az in /bin"),
    ] {
        check_found(&[], variables, wanted);
    }
}

#[test]
fn the_empty_block_is_enough_in_a_job_that_brings_its_own_tokens() {
    for (variables, wanted) in [
        // HCP Terraform with TFC_WORKLOAD_IDENTITY_AUDIENCE.
        (&[("TFC_WORKLOAD_IDENTITY_TOKEN", "hcp")][..], "token hcp"),
        // GitHub Actions with `permissions: id-token: write`.
        (
            &[("ACTIONS_ID_TOKEN_REQUEST_URL", "https://gh.example/?a=b"), ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "job")],
            "GitHub https://gh.example/?a=b job None",
        ),
        (
            &[
                ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://gh.example/"),
                ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "job"),
                ("ARM_OIDC_AUDIENCE", "own"),
            ],
            "GitHub https://gh.example/ job Some(\"own\")",
        ),
        // Azure Pipelines.
        (
            &[
                ("SYSTEM_OIDCREQUESTURI", "https://ado.example/oidctoken"),
                ("SYSTEM_ACCESSTOKEN", "job"),
                ("ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID", "one"),
                ("ARM_OIDC_AZURE_SERVICE_CONNECTION_ID", "two"),
            ],
            "pipelines https://ado.example/oidctoken job one",
        ),
        (
            &[
                ("ARM_OIDC_REQUEST_URL", "https://ado.example/oidctoken"),
                ("SYSTEM_ACCESSTOKEN", "job"),
                ("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", "three"),
            ],
            "pipelines https://ado.example/oidctoken job three",
        ),
        // AKS with workload identity.
        (&[("AZURE_FEDERATED_TOKEN_FILE", "/var/run/token")], "token in /var/run/token"),
    ] {
        // A job announces itself; only the name that this provider shares with Azure's own needs the switch.
        let switched = [("ARM_USE_OIDC", "true")];
        let variables: Vec<_> = variables.iter().chain(&switched).copied().collect();
        check_found(&[], &variables, wanted);
    }
    check_found(&[], &[("TFC_WORKLOAD_IDENTITY_TOKEN", "hcp")], "token hcp");
    check_found(
        &[],
        &[("ACTIONS_ID_TOKEN_REQUEST_URL", "https://gh.example/"), ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "job")],
        "GitHub https://gh.example/ job None",
    );
    check_found(
        &[],
        &[
            ("SYSTEM_OIDCREQUESTURI", "https://ado.example/oidctoken"),
            ("SYSTEM_ACCESSTOKEN", "job"),
            ("ARM_OIDC_AZURE_SERVICE_CONNECTION_ID", "two"),
        ],
        "pipelines https://ado.example/oidctoken job two",
    );
}

#[test]
fn the_first_kind_that_the_environment_offers_counts() {
    let all = [
        ("ARM_CLIENT_CERTIFICATE_PATH", "a.pfx"),
        ("ARM_CLIENT_SECRET", "s"),
        ("ARM_OIDC_TOKEN", "t"),
        ("ARM_USE_MSI", "true"),
        ("ARM_USE_CLI", "true"),
        ("PATH", "/bin"),
    ];
    for (skipped, wanted) in
        ["certificate in a.pfx", "secret s", "token t", "identity Some(\"app\") at None", "az in /bin"].into_iter().enumerate()
    {
        check_found(&[], &all[skipped..], wanted);
    }
    check_found(
        &[],
        &[("ARM_OIDC_TOKEN", "t"), ("ARM_OIDC_TOKEN_FILE_PATH", "f"), ("TFC_WORKLOAD_IDENTITY_TOKEN", "hcp")],
        "token t",
    );
    check_found(&[], &[("ARM_OIDC_TOKEN_FILE_PATH", "f"), ("TFC_WORKLOAD_IDENTITY_TOKEN", "hcp")], "token in f");
    check_found(
        &[],
        &[("ARM_USE_OIDC", "false"), ("ARM_OIDC_TOKEN", "t"), ("ARM_USE_MSI", "true")],
        "identity Some(\"app\") at None",
    );
}

#[test]
fn the_block_wins_over_whatever_the_environment_offers() {
    let variables =
        [("ARM_CLIENT_CERTIFICATE_PATH", "a.pfx"), ("ARM_CLIENT_SECRET", "s"), ("ARM_OIDC_TOKEN", "t"), ("PATH", "/bin")];
    check_found(&[("use_oidc", Value::Bool(true))], &variables, "token t");
    check_found(&[("client_secret", text("mine"))], &variables, "secret mine");
    check_found(&[("client_certificate", text("PEM"))], &variables, "certificate PEM");
    check_found(&[("use_cli", Value::Bool(true))], &variables, "az in /bin");
    // What belongs to a kind completes it.
    check_found(&[("client_certificate_password", text("p"))], &variables, "certificate in a.pfx opened by p");
}

#[test]
fn a_switch_that_is_off_rules_its_kind_out() {
    let off = [("use_oidc", Value::Bool(false)), ("oidc_token", text("t")), ("client_secret", text("s"))];
    check_found(&off, &[], "secret s");
    assert!(check(&config(&off)).is_empty());
    check_found(&off[..1], &[("ARM_OIDC_TOKEN", "t"), ("ARM_USE_MSI", "true")], "identity Some(\"app\") at None");
}

#[test]
fn c16_two_credentials_in_the_block_are_an_error_that_names_both() {
    let yes = Value::Bool(true);
    for (one, other) in [
        (("client_secret", text("very-secret")), ("client_certificate_path", text("a.pfx"))),
        (("client_secret", text("very-secret")), ("use_oidc", yes.clone())),
        (("client_secret", Value::UNKNOWN), ("oidc_token", text("very-secret"))),
        (("use_msi", yes.clone()), ("use_cli", yes)),
        (("client_certificate", text("very-secret")), ("client_certificate_path", text("a.pfx"))),
        (("oidc_token", text("very-secret")), ("oidc_token_file_path", text("f"))),
        (("oidc_token", text("very-secret")), ("oidc_request_url", text("https://h/"))),
    ] {
        let block = [one.clone(), other.clone()];
        for found in [check(&config(&block)), find(&block, &[]).expect_err("an error")] {
            let said = &found[0].detail;
            assert!(said.contains(&format!("exchange.{}", one.0)) && said.contains(&format!("exchange.{}", other.0)), "{said}");
            assert!(!said.contains("very-secret"), "{said}");
        }
    }
}

#[track_caller]
fn check_refused(block: &[(&str, Value)], variables: &[(&str, &str)], attribute: &str, said: &[&str]) {
    let found = find(block, variables).expect_err("an error");
    let one = found.iter().find(|one| one.path == Some(Path::dotted("exchange").attribute(attribute)));
    let one = one.unwrap_or_else(|| panic!("nothing on {attribute}: {found:?}"));
    for word in said {
        assert!(one.detail.contains(word), "{word}: {}", one.detail);
    }
    assert!(!format!("{found:?}").contains("very-secret"), "{found:?}");
}

#[test]
fn c16_what_is_missing_or_wrong_is_named_with_attribute_and_variable() {
    let yes = Value::Bool(true);
    check_refused(
        &[],
        &[],
        "client_secret",
        &["ARM_CLIENT_SECRET", "ARM_CLIENT_CERTIFICATE_PATH", "ARM_USE_OIDC", "ARM_USE_MSI", "ARM_USE_CLI"],
    );
    check_refused(&[("use_oidc", yes.clone())], &[], "use_oidc", &["ARM_OIDC_TOKEN_FILE_PATH", "id-token: write"]);
    check_refused(
        &[("client_certificate_password", text("very-secret"))],
        &[],
        "client_certificate",
        &["ARM_CLIENT_CERTIFICATE_PATH"],
    );
    check_refused(&[("oidc_request_url", text("https://h/"))], &[], "oidc_request_token", &["ARM_OIDC_REQUEST_TOKEN"]);
    check_refused(
        &[("oidc_request_url", text("http://h/")), ("oidc_request_token", text("very-secret"))],
        &[],
        "oidc_request_url",
        &["https"],
    );
    check_refused(&[("use_msi", yes.clone())], &[("ARM_MSI_ENDPOINT", "http://h/")], "msi_endpoint", &["ARM_MSI_ENDPOINT"]);
    let ado = [("SYSTEM_OIDCREQUESTURI", "https://h/"), ("SYSTEM_ACCESSTOKEN", "very-secret")];
    check_refused(&[("use_oidc", yes)], &ado, "use_oidc", &["ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID"]);
    check_refused(&[], &[("ARM_USE_MSI", "maybe")], "use_msi", &["ARM_USE_MSI"]);
    check_refused(
        &[],
        &[("ARM_CLIENT_SECRET_FILE_PATH", "/nowhere/secret")],
        "client_secret",
        &["ARM_CLIENT_SECRET_FILE_PATH", "/nowhere/secret"],
    );
}

#[test]
fn a_url_that_gives_tokens_is_https_or_within_the_machine() {
    for (url, good) in [
        ("https://token.example/path?a=b", true),
        ("http://localhost:42356/msi/token", true),
        ("http://127.0.0.1/x", true),
        ("http://169.254.169.254/metadata/identity/oauth2/token", true),
        ("http://10.0.0.1/x", false),
        ("http://localhost.example/x", false),
        ("https://user:very-secret@token.example/", false),
        ("ftp://localhost/x", false),
        ("token.example", false),
    ] {
        assert_eq!(endpoint(url).is_ok(), good, "{url}");
    }
}

#[test]
fn client_id_and_secret_may_stand_in_files() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    };
    let (id, secret) = (write("id", "app\n"), write("secret", "s\n"));
    let variables = [("ARM_CLIENT_ID_FILE_PATH", id), ("ARM_CLIENT_SECRET_FILE_PATH", secret)];
    let variables = Environment::of(variables.into_iter().map(|(name, value)| (name.to_owned(), value)));
    let Ok(Side::Ready(settings)) = read(&config(&[]), &variables) else { panic!("complete") };
    assert_eq!(told(&settings.credential), "secret s");
}

#[test]
fn a_managed_identity_and_a_person_need_no_client_id() {
    let variables = Environment::default();
    for switch in ["use_msi", "use_cli"] {
        assert!(matches!(read(&config(&[(switch, Value::Bool(true))]), &variables), Ok(Side::Ready(_))), "{switch}");
    }
}

#[test]
fn p10_a_credential_that_is_not_known_yet_is_no_error() {
    for name in [
        "client_secret",
        "client_certificate",
        "client_certificate_path",
        "oidc_token",
        "oidc_request_url",
        "msi_endpoint",
        "use_oidc",
    ] {
        let block = [(name, Value::UNKNOWN)];
        match find(&block, &[("ARM_CLIENT_CERTIFICATE_PASSWORD", "p")]) {
            Ok(Side::Unknown(path)) => assert_eq!(path.to_string(), format!("exchange.{name}")),
            other => panic!("{name}: {other:?}"),
        }
    }
}
