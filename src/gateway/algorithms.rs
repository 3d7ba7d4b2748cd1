//! The SSH algorithms that are offered.
//!
//! Nothing with SHA-1 or CBC, unless the settings ask for what old releases need. The kinds of host key that are pinned come first: a host with
//! keys of several kinds shows the one that its client asks for.

use std::borrow::Cow;

use russh::keys::{Algorithm, EcdsaCurve, HashAlg};
use russh::{Preferred, cipher, kex, mac};

/// The algorithms that are offered, best first.
pub(super) fn preferred(legacy: bool, pinned: &[Algorithm]) -> Preferred {
    let mut exchanges = vec![
        kex::MLKEM768X25519_SHA256,
        kex::CURVE25519,
        kex::CURVE25519_PRE_RFC_8731,
        kex::ECDH_SHA2_NISTP256,
        kex::ECDH_SHA2_NISTP384,
        kex::ECDH_SHA2_NISTP521,
        kex::DH_GEX_SHA256,
        kex::DH_G18_SHA512,
        kex::DH_G16_SHA512,
        kex::DH_G14_SHA256,
    ];
    let ecdsa = |curve| Algorithm::Ecdsa { curve };
    let mut keys = vec![
        Algorithm::Ed25519,
        ecdsa(EcdsaCurve::NistP256),
        ecdsa(EcdsaCurve::NistP384),
        ecdsa(EcdsaCurve::NistP521),
        Algorithm::Rsa { hash: Some(HashAlg::Sha512) },
        Algorithm::Rsa { hash: Some(HashAlg::Sha256) },
    ];
    let mut ciphers = vec![
        cipher::CHACHA20_POLY1305,
        cipher::AES_256_GCM,
        cipher::AES_128_GCM,
        cipher::AES_256_CTR,
        cipher::AES_192_CTR,
        cipher::AES_128_CTR,
    ];
    let mut macs = vec![mac::HMAC_SHA512_ETM, mac::HMAC_SHA256_ETM, mac::HMAC_SHA512, mac::HMAC_SHA256];
    if legacy {
        exchanges.extend([kex::DH_GEX_SHA1, kex::DH_G14_SHA1, kex::DH_G1_SHA1]);
        keys.push(Algorithm::Rsa { hash: None });
        ciphers.extend([cipher::AES_256_CBC, cipher::AES_192_CBC, cipher::AES_128_CBC]);
        macs.extend([mac::HMAC_SHA1_ETM, mac::HMAC_SHA1]);
    }
    exchanges.extend([kex::EXTENSION_SUPPORT_AS_CLIENT, kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT]);
    // A host with keys of several kinds must show the one that is pinned.
    let is_rsa = |key: &Algorithm| matches!(key, Algorithm::Rsa { .. });
    let is_pinned = |key: &Algorithm| pinned.iter().any(|pinned| pinned == key || (is_rsa(pinned) && is_rsa(key)));
    keys.sort_by_key(|key| !is_pinned(key));
    Preferred {
        kex: Cow::Owned(exchanges),
        key: Cow::Owned(keys),
        cipher: Cow::Owned(ciphers),
        mac: Cow::Owned(macs),
        ..Preferred::DEFAULT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pinned_kind_of_key_is_asked_for_first() {
        let rsa = Algorithm::Rsa { hash: None };
        let first = |pinned: &[Algorithm]| preferred(false, pinned).key.first().cloned();
        assert_eq!(first(&[]), Some(Algorithm::Ed25519));
        assert_eq!(first(&[rsa]), Some(Algorithm::Rsa { hash: Some(HashAlg::Sha512) }));
        assert!(!preferred(false, &[]).key.contains(&Algorithm::Rsa { hash: None }));
        assert!(preferred(true, &[]).key.contains(&Algorithm::Rsa { hash: None }));
    }
}
