//! The assertion that a certificate's key signs: a JSON Web Token.
//!
//! ```json
//! {"alg":"PS256","typ":"JWT","x5t#S256":"…"}
//! {"aud":"https://login.microsoftonline.com/…/oauth2/v2.0/token","iss":"…","sub":"…","jti":"…","nbf":0,"iat":0,"exp":600}
//! ```
//!
//! <https://learn.microsoft.com/entra/identity-platform/certificate-credentials>

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;
use serde_json::json;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::certificate::Certificate;
use crate::remote::{Error, credential};

/// How long an assertion is good for. Microsoft asks for five to ten minutes.
const LIFE: Duration = Duration::minutes(10);

/// Makes an assertion that the application is who it says, to this endpoint, at this time.
pub(super) fn assertion(
    certificate: &Certificate,
    client_id: &str,
    audience: &str,
    now: OffsetDateTime,
) -> Result<SecretString, Error> {
    let header = json!({"alg": "PS256", "typ": "JWT", "x5t#S256": certificate.thumbprint()});
    let begin = now.unix_timestamp();
    let claims = json!({
        "aud": audience,
        "iss": client_id,
        "sub": client_id,
        "jti": Uuid::new_v4().to_string(),
        "nbf": begin,
        "iat": begin,
        "exp": (now + LIFE).unix_timestamp(),
    });
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()));
    let signature = certificate.sign(signed.as_bytes())?;
    Ok(credential(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))))
}
