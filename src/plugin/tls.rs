//! Mutual TLS with the one host that started this process.
//!
//! The server's certificate is made for the process and pinned by the host. The client has to show exactly the certificate
//! that the host announced, and to prove that it holds its key. Terraform's own is an ECDSA certificate on P-521, made as a
//! certification authority and used as a client: the usual verifier takes no such certificate and *ring* has no P-521, so
//! the comparison is by bytes and the proof is checked with the `p521` crate.

use std::sync::Arc;

use p521::ecdsa::signature::Verifier as _;
use p521::ecdsa::{DerSignature, VerifyingKey};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{
    AlgorithmIdentifier, CertificateDer, InvalidSignature, PrivateKeyDer, PrivatePkcs8KeyDer, SignatureVerificationAlgorithm,
    UnixTime, alg_id,
};
use rustls::server::NoServerSessionStorage;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme};

use super::handshake::Refusal;

/// Makes the certificate of this process, and the settings of a server that takes only the client with the given one.
pub(super) fn server(client: CertificateDer<'static>) -> Result<(Arc<ServerConfig>, CertificateDer<'static>), Refusal> {
    let (certificate, key) = certificate().map_err(|error| Refusal::Tls(error.to_string()))?;
    let settings = settings(client, certificate.clone(), key).map_err(|error| Refusal::Tls(error.to_string()))?;
    Ok((Arc::new(settings), certificate))
}

/// P-256, because its key costs 0.1 ms at every start; the rest is what hosts know from plugins written in Go.
fn certificate() -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), rcgen::Error> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut wanted = CertificateParams::new(vec!["localhost".to_owned()])?;
    wanted.distinguished_name.push(DnType::CommonName, "localhost");
    wanted.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    wanted.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyAgreement, KeyUsagePurpose::KeyCertSign];
    wanted.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    let certificate = wanted.self_signed(&key)?;
    Ok((certificate.der().clone(), PrivatePkcs8KeyDer::from(key.serialize_der()).into()))
}

fn settings(
    client: CertificateDer<'static>,
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, Error> {
    let provider = ring::default_provider();
    let verifier = OnlyThisClient { client, ring: provider.signature_verification_algorithms };
    let mut settings = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_single_cert(vec![certificate], key)?;
    settings.alpn_protocols = vec![b"h2".to_vec()];
    // Each connection proves itself anew.
    settings.session_storage = Arc::new(NoServerSessionStorage {});
    settings.send_tls13_tickets = 0;
    Ok(settings)
}

/// Takes one certificate, compared byte for byte, from a client that holds its key.
#[derive(Debug)]
struct OnlyThisClient {
    client: CertificateDer<'static>,
    ring: WebPkiSupportedAlgorithms,
}

impl OnlyThisClient {
    fn algorithms(&self, scheme: SignatureScheme) -> &WebPkiSupportedAlgorithms {
        if scheme == P521_SCHEME { &P521 } else { &self.ring }
    }
}

impl ClientCertVerifier for OnlyThisClient {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if end_entity.as_ref() == self.client.as_ref() {
            Ok(ClientCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, self.algorithms(signed.scheme))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, self.algorithms(signed.scheme))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let mut schemes = self.ring.supported_schemes();
        schemes.push(P521_SCHEME);
        schemes
    }
}

const P521_SCHEME: SignatureScheme = SignatureScheme::ECDSA_NISTP521_SHA512;

static P521: WebPkiSupportedAlgorithms =
    WebPkiSupportedAlgorithms { all: &[&EcdsaP521], mapping: &[(P521_SCHEME, &[&EcdsaP521])] };

/// ECDSA on P-521 with SHA-512.
#[derive(Debug)]
struct EcdsaP521;

impl SignatureVerificationAlgorithm for EcdsaP521 {
    fn verify_signature(&self, public_key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let key = VerifyingKey::from_sec1_bytes(public_key).map_err(|_| InvalidSignature)?;
        let signature = DerSignature::try_from(signature).map_err(|_| InvalidSignature)?;
        key.verify(message, &signature).map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_P521
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_SHA512
    }
}

#[cfg(test)]
mod tests {
    use p521::ecdsa::SigningKey;
    use p521::ecdsa::signature::Signer as _;

    use super::*;

    /// A signature and its key, by a fixed secret.
    fn signed(message: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let mut secret = [0x5a; 66];
        secret[0] = 0;
        let key = SigningKey::from_slice(&secret).unwrap();
        let signature: DerSignature = key.sign(message);
        (key.verifying_key().to_sec1_point(false).as_bytes().to_vec(), signature.as_bytes().to_vec())
    }

    #[test]
    fn a_p521_signature_counts_for_its_message_and_key_alone() {
        let (key, signature) = signed(b"message");
        assert!(EcdsaP521.verify_signature(&key, b"message", &signature).is_ok());
        assert!(EcdsaP521.verify_signature(&key, b"massage", &signature).is_err());
        let mut other = signature.clone();
        *other.last_mut().unwrap() ^= 1;
        assert!(EcdsaP521.verify_signature(&key, b"message", &other).is_err());
    }

    #[test]
    fn broken_keys_and_signatures_are_refused_without_a_panic() {
        let (key, signature) = signed(b"message");
        for broken in [&[][..], &[4], &key[..70], &signature[..]] {
            assert!(EcdsaP521.verify_signature(broken, b"message", &signature).is_err());
        }
        for broken in [&[][..], &[0x30], &signature[..20], &key[..]] {
            assert!(EcdsaP521.verify_signature(&key, b"message", broken).is_err());
        }
    }

    #[test]
    fn every_process_has_a_certificate_of_its_own() {
        let (first, _) = certificate().unwrap();
        let (second, _) = certificate().unwrap();
        assert_ne!(first, second);
    }
}
