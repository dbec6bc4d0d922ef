//! A certificate authority for one control plane and what it signs.

use std::net::{IpAddr, Ipv4Addr};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};

/// A certificate and its key.
#[derive(Debug, Clone)]
pub struct Certified {
    /// The certificate, PEM.
    pub certificate: String,
    /// The private key, PKCS 8, PEM.
    pub key: String,
}

/// Signs certificates. Its own is what clients trust.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    own: Certified,
    der: Vec<u8>,
}

impl Authority {
    /// A new authority of that name.
    ///
    /// # Errors
    /// When the key or the certificate cannot be made.
    pub fn new(name: &str) -> Result<Self, String> {
        let mut params = CertificateParams::default();
        params.distinguished_name = named(name, None);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages =
            vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate().map_err(|error| failed(name, &error))?;
        let certificate = params.self_signed(&key).map_err(|error| failed(name, &error))?;
        let own = Certified { certificate: certificate.pem(), key: key.serialize_pem() };
        Ok(Self { issuer: Issuer::new(params, key), own, der: certificate.der().to_vec() })
    }

    /// Its own certificate and key.
    #[must_use]
    pub fn own(&self) -> &Certified {
        &self.own
    }

    /// Its own certificate, DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// For a server on 127.0.0.1 that also answers to `names` (host names or addresses).
    ///
    /// # Errors
    /// When a name is no name, or signing fails.
    pub fn server(&self, common_name: &str, names: &[&str]) -> Result<Certified, String> {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).map_err(|error| failed(common_name, &error))?;
        params.subject_alt_names.push(SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        params.distinguished_name = named(common_name, None);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(common_name, params)
    }

    /// For a client: Kubernetes takes the common name as the user and the organization as the group.
    ///
    /// # Errors
    /// When signing fails.
    pub fn client(&self, user: &str, group: Option<&str>) -> Result<Certified, String> {
        let mut params = CertificateParams::default();
        params.distinguished_name = named(user, group);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(user, params)
    }

    fn sign(&self, name: &str, mut params: CertificateParams) -> Result<Certified, String> {
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate().map_err(|error| failed(name, &error))?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(|error| failed(name, &error))?;
        Ok(Certified { certificate: certificate.pem(), key: key.serialize_pem() })
    }
}

/// A key pair that signs the tokens of service accounts: private and public half, PEM.
///
/// # Errors
/// When it cannot be made.
pub fn token_keys() -> Result<(String, String), String> {
    let key = KeyPair::generate().map_err(|error| failed("service accounts", &error))?;
    Ok((key.serialize_pem(), key.public_key_pem()))
}

fn named(common_name: &str, organization: Option<&str>) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    if let Some(organization) = organization {
        name.push(DnType::OrganizationName, organization);
    }
    name
}

fn failed(name: &str, error: &rcgen::Error) -> String {
    format!("the certificate of {name} cannot be made: {error}")
}
