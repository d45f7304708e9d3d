//! Networks: of `net.ip_in_range_cidr`, and of lists and tables that hold them.

use core::net::IpAddr;

use super::{Arguments, FunctionError};
use crate::eval::Value;

/// A range of addresses, `192.0.2.0/24`. Bits behind the prefix are ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    start: u128,
    prefix: u32,
    width: u32,
}

impl Network {
    /// Reads `address/prefix`; an address alone is a network of one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let (address, width) = bits(address.parse().ok()?);
        let prefix = match prefix {
            None => width,
            Some(digits) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().ok().filter(|&prefix| prefix <= width)?
            }
            Some(_) => return None,
        };
        Some(Self { start: network_bits(address, width - prefix), prefix, width })
    }

    /// Whether an address lies in it; one of the other version never does.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let (address, width) = bits(address);
        width == self.width && network_bits(address, width - self.prefix) == self.start
    }
}

fn bits(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(address) => (u32::from(address).into(), 32),
        IpAddr::V6(address) => (address.into(), 128),
    }
}

/// Without the bits of the host.
fn network_bits(address: u128, host: u32) -> u128 {
    address.checked_shr(host).unwrap_or(0)
}

pub(super) fn ip_in_range_cidr(arguments: &Arguments<'_>) -> Result<Value, FunctionError> {
    let network = arguments.text(1)?;
    let network = Network::parse(&network).ok_or_else(|| FunctionError::network(&network))?;
    let address = arguments.text(0)?;
    if address.is_empty() {
        return Ok(Value::Bool(false));
    }
    let address = address.parse().map_err(|_| FunctionError::address(&address))?;
    Ok(Value::Bool(network.contains(address)))
}
