//! The conformance suite, over each kind of stream framing.

mod counted {
    use watchbell_sink::{conformance, testkit::conformance::Suite};
    use watchbell_syslog::SyslogConfig;

    conformance!(stream SyslogConfig, Suite::stream(|address| format!("transport = 'tcp'\naddress = '{address}'")));
}

mod lf {
    use watchbell_sink::{conformance, testkit::conformance::Suite};
    use watchbell_syslog::SyslogConfig;

    conformance!(stream SyslogConfig, Suite::stream(|address| {
        format!("transport = 'tcp'\nframing = 'lf'\nformat = 'rfc3164'\npayload = 'json'\naddress = '{address}'")
    }));
}
