//! `k8s_audit.jsonl.zst`: audit events of a small cluster, `audit.k8s.io/v1`.

use serde_json::json;

use super::{
    log::{DAYS, HOUR, Incident, MINUTE, Moment, Packing, Sample, is_weekend},
    random::Random,
};

const ESCALATION: Incident = Incident {
    id: "k8s-privilege-escalation",
    threat_type: "privilege_escalation",
    entity: ("user", "system:serviceaccount:ci:runner"),
    story: "the build runner's account binds itself to cluster-admin and makes tokens",
};
const SECRETS: Incident = Incident {
    id: "k8s-reconnaissance",
    threat_type: "reconnaissance",
    entity: ("user", "system:serviceaccount:ci:runner"),
    story: "then it lists and reads the secrets of every namespace",
};

const NAMESPACES: [&str; 10] =
    ["shop", "payments", "search", "mail", "ci", "monitoring", "ingress", "logging", "kube-system", "default"];

struct Call<'a> {
    user: &'a str,
    address: &'a str,
    agent: &'a str,
    verb: &'a str,
    resource: &'a str,
    namespace: &'a str,
    name: &'a str,
    code: u16,
}

impl Call<'_> {
    fn at(&self, time: Moment, number: u64) -> String {
        let Self { namespace, resource, name, .. } = self;
        let stamp = time.format("%Y-%m-%dT%H:%M:%S.000000Z");
        json!({
            "kind": "Event",
            "apiVersion": "audit.k8s.io/v1",
            "level": "Metadata",
            "auditID": format!("{number:08x}-0000-4000-9000-{:012x}", number * 6151),
            "stage": "ResponseComplete",
            "requestURI": format!("/api/v1/namespaces/{namespace}/{resource}/{name}"),
            "verb": self.verb,
            "user": { "username": self.user, "groups": ["system:authenticated"] },
            "sourceIPs": [self.address],
            "userAgent": self.agent,
            "objectRef": { "resource": resource, "namespace": namespace, "name": name, "apiVersion": "v1" },
            "responseStatus": { "metadata": {}, "code": self.code },
            "requestReceivedTimestamp": stamp,
            "stageTimestamp": stamp,
            "annotations": { "authorization.k8s.io/decision": if self.code == 403 { "forbid" } else { "allow" } },
        })
        .to_string()
    }
}

/// The log.
pub(crate) fn sample() -> Sample {
    let mut log = Sample::lines("k8s_audit.jsonl.zst", Packing::Zstd);
    let mut random = Random::new(7);
    for day in 0..DAYS {
        controllers(&mut log, &mut random, day);
        if !is_weekend(day) {
            people_and_builds(&mut log, &mut random, day);
        }
    }
    stolen_runner(&mut log, &mut random);
    log.sorted()
}

fn controllers(log: &mut Sample, random: &mut Random, day: i64) {
    for slot in 0..18 {
        for (user, agent, resource, verb) in [
            ("system:kube-controller-manager", "kube-controller-manager/v1.35.0", "endpoints", "update"),
            ("system:serviceaccount:monitoring:prometheus", "Prometheus/3.9.0", "pods", "list"),
        ] {
            let time = Moment::on(day, slot * 80 * MINUTE + random.between(0, 3_000));
            let call = Call {
                user,
                address: "10.40.0.2",
                agent,
                verb,
                resource,
                namespace: random.pick(&NAMESPACES),
                name: "",
                code: 200,
            };
            log.add(time, call.at(time, random.below(1 << 32)));
        }
    }
}

fn people_and_builds(log: &mut Sample, random: &mut Random, day: i64) {
    for (position, user) in
        ["lind@office.example", "berg@office.example", "kask@office.example"].into_iter().enumerate()
    {
        let address = format!("10.20.1.{}", 11 + position * 36);
        for _ in 0..random.between(3, 8) {
            let time = Moment::on(day, random.around(13 * HOUR, 5 * HOUR));
            let (verb, resource) =
                random.pick(&[("get", "pods"), ("list", "pods"), ("get", "pods/log"), ("patch", "deployments")]);
            let call = Call {
                user,
                address: &address,
                agent: "kubectl/v1.35.0",
                verb,
                resource,
                namespace: NAMESPACES[position],
                name: "web-0",
                code: 200,
            };
            log.add(time, call.at(time, random.below(1 << 32)));
        }
    }
    for _ in 0..random.between(3, 5) {
        let mut time = Moment::on(day, random.around(13 * HOUR, 4 * HOUR));
        for (verb, resource) in
            [("get", "deployments"), ("patch", "deployments"), ("list", "pods"), ("get", "configmaps")]
        {
            let call = runner(verb, resource, "shop", "web");
            log.add(time, call.at(time, random.below(1 << 32)));
            time = time.plus_millis(random.between(1_000, 20_000));
        }
    }
}

fn runner<'a>(verb: &'a str, resource: &'a str, namespace: &'a str, name: &'a str) -> Call<'a> {
    Call {
        user: "system:serviceaccount:ci:runner",
        address: "10.40.3.19",
        agent: "kubectl/v1.34.2",
        verb,
        resource,
        namespace,
        name,
        code: 200,
    }
}

fn stolen_runner(log: &mut Sample, random: &mut Random) {
    let mut time = Moment::on(12, 22 * HOUR + 9 * MINUTE);
    for (verb, resource, name) in [
        ("create", "clusterrolebindings", "runner-admin"),
        ("create", "clusterroles", "runner-all"),
        ("create", "serviceaccounts/token", "default"),
        ("patch", "clusterrolebindings", "runner-admin"),
        ("create", "serviceaccounts/token", "prometheus"),
        ("create", "pods/exec", "web-0"),
    ] {
        let call = Call { agent: "python-requests/2.32", code: 201, ..runner(verb, resource, "kube-system", name) };
        log.plant(&ESCALATION, time, call.at(time, random.below(1 << 32)));
        time = time.plus_millis(random.between(5_000, 50_000));
    }
    for namespace in NAMESPACES {
        for (verb, name) in
            [("list", ""), ("get", "database"), ("get", "tls"), ("get", "registry"), ("get", "api-token")]
        {
            let mut call = Call { agent: "python-requests/2.32", ..runner(verb, "secrets", namespace, name) };
            call.code = if verb == "get" && random.percent(25) { 404 } else { 200 };
            log.plant(&SECRETS, time, call.at(time, random.below(1 << 32)));
            time = time.plus_millis(random.between(900, 9_000));
        }
    }
}
