//! The sample logs that travel inside the program.

use std::{fs, io, path::Path};

/// Name and content of each sample log.
const LOGS: [(&str, &[u8]); 7] = [
    ("auth.jsonl", include_bytes!("../../examples/logs/auth.jsonl")),
    ("app.logfmt", include_bytes!("../../examples/logs/app.logfmt")),
    ("cloudtrail.json.gz", include_bytes!("../../examples/logs/cloudtrail.json.gz")),
    ("k8s_audit.jsonl.zst", include_bytes!("../../examples/logs/k8s_audit.jsonl.zst")),
    ("nginx_access.log.gz", include_bytes!("../../examples/logs/nginx_access.log.gz")),
    ("sshd_auth.log", include_bytes!("../../examples/logs/sshd_auth.log")),
    ("vpn.csv", include_bytes!("../../examples/logs/vpn.csv")),
];

/// Writes the sample logs into a folder, which is made if need be.
pub(super) fn unpack(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    LOGS.iter().try_for_each(|(name, content)| fs::write(folder.join(name), content))
}
