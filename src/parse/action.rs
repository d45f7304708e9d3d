//! Words for actions to classes: one ordered table, the first rule that fits decides.
//!
//! An action's name is cut into words at case changes and at everything that is no letter, so `DeleteTrail`,
//! `delete_trail` and `DELETE TRAIL` are one. A rule is a list of words that must all occur (`delete trail|log`), where
//! `|` separates alternatives, a trailing `*` matches any ending, and `!` forbids.

use super::ActionClass;

/// Remembers what words mean, by their hash: a log has few words for actions and repeats them.
#[derive(Debug, Clone)]
pub(super) struct WordCache<T> {
    /// Each word has two places, so that two frequent words of one place do not drive each other out.
    entries: Vec<[(u64, T); 2]>,
}

const CACHE_ENTRIES: usize = 256;

impl<T: Copy + Default> WordCache<T> {
    pub(super) fn new() -> Self {
        Self { entries: vec![[(0, T::default()); 2]; CACHE_ENTRIES] }
    }

    #[inline]
    pub(super) fn of(&mut self, hash: u64, find: impl FnOnce() -> T) -> T {
        let entry = &mut self.entries[hash as usize % CACHE_ENTRIES];
        match entry {
            [(first, value), _] if *first == hash => *value,
            [_, (second, value)] if *second == hash => *value,
            [first, second] => {
                (*second, *first) = (*first, (hash, find()));
                first.1
            }
        }
    }
}

/// What sort of thing an action of this name is.
#[must_use]
pub fn classify(name: &str) -> ActionClass {
    let words = words(name);
    let fits = |rule: &str| rule.split(' ').all(|group| group_fits(group, &words));
    RULES
        .iter()
        .find(|(rules, _)| rules.split(',').map(str::trim).any(|rule| fits(rule)))
        .map_or(ActionClass::Other, |(_, class)| *class)
}

fn group_fits(group: &str, words: &[String]) -> bool {
    match group.strip_prefix('!') {
        Some(forbidden) => !group_fits(forbidden, words),
        None if group.starts_with('=') => words.len() == 1 && group_fits(&group[1..], words),
        None => group.split('|').any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => words.iter().any(|word| word.starts_with(start)),
            None => words.iter().any(|word| word == pattern),
        }),
    }
}

/// Longer names are cut: an action's kind stands in its first words, and log text is a stranger's.
const MAX_WORDS: usize = 24;

/// Lower-case words of a name: `ConsoleLogin` is `console`, `login`; `GetIAMUser` is `get`, `iam`, `user`.
fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().take(256).collect();
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    for (at, &letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| letters[before]);
        let after = letters.get(at + 1);
        let starts = letter.is_uppercase()
            && before.is_some_and(|before| {
                before.is_lowercase() || before.is_uppercase() && after.is_some_and(|after| after.is_lowercase())
            });
        if (starts || !letter.is_alphabetic()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if letter.is_alphabetic() {
            word.extend(letter.to_lowercase());
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words.truncate(MAX_WORDS);
    words
}

use ActionClass::{
    Configure, Connect, Delete, Download, Execute, List, Login, Logout, Privilege, Read, RemoteLogin, Tamper, Upload,
    Write,
};

/// The table.
const RULES: &[(&str, ActionClass)] = &[
    // Weakening the watch, unless it is only read.
    (
        "log|logs|audit|auditing|eventlog|journal clear*|delet*|purg*|wipe*|erase*|truncat*|remov*|destroy|tamper* !get !list !describe,
         trail|trails|detector|detectors|logging|recorder|flow|sink|sinks delet*|stop*|disabl*|remov*|disassociat* !get !list !describe,
         cleared log|audit|security, stop|disable|disabled|disabling|turn|pause|suspend logging|audit|auditing|monitoring|alarm*|detector|recorder|trail|guard*|protection|defender|antivirus|firewall|insights,
         audit|logging|protection|monitoring|defender|antivirus|guardduty|securityhub|macie disabl*|stop*|off,
         update|put detector|trail !get, disassociate|delete|leave master|administrator|organization|members account|detector,
         put event selectors, delete|disable alarms|rule|subscription|configuration|recorder|findings|publishing security|config|destination|alarm*|filter*,
         delete alarms, disable alarm, archive findings, delete flow logs, delete log group|stream|sink, delete diagnostic settings,
         diagnosticsettings delete, delete web acl, disable security|mfa|otp|sso|two|factor,
         protected|branch destroy|policy override, audit|streaming destroy|disable*|delete, tamper*, selinux|apparmor|sysmon disabl*|stop*,
         disable key, secret scanning|protection|push disable*, delete firewall|waf|guard*, unload driver sysmon",
        Tamper,
    ),
    ("logout|logoff|signout, sign out|off, log|logged out|off, session end*|clos*|terminat*|clear*|revoke*|expire*, user end !endpoint, disconnect* !list, logged off", Logout),
    ("remote login|logon|interactive|desktop, ssh|sshd|rdp|winrm|psexec|wmi|telnet|vnc|rdpclient !key* !keys !config !scan !get !list, session|ssm start session, start session, remotelogin, remoteinteractive", RemoteLogin),
    ("policy|sso|login|mfa|signin|idp|factor create|update|delete|deactivate|reset|change*|enroll|modify profile|policy|config*|settings|attributes|idp|lifecycle|rule !get !list !describe", Configure),
    // Rights, unless they are only read.
    (
        "sudo|su|runas|sudoers|setuid|privilege*|escalat*|elevat* !get !list !describe !read,
         attach|put|set|update|change*|create|add|modify|detach|delete|grant*|revoke|assign*|unassign|remove|write role|roles|permission*|policy|policies|entitlement*|iam|acl|rolebinding*|binding|bindings|clusterrole*|clusterrolebindings|clusterroles|rolebindings|roleassignments|roledefinitions !get* !list* !describe* !read !password* !branch !retention !object !trigger,
         role|roles|policy|permission*|rights change*|changed|modified|update*|grant*|assign*|added|add|created|create|escalat*|edit* !read,
         key|keys|secret|token|tokens|credential|credentials|certificate|pat|apikey|serviceaccountkey create*|creat*|add*|generat*|issue*|import*|new|grant*|regenerat* !keyspace !keypair !get !read,
         account|user|users|member|members|admin|admins|collaborator|owner|group|groups|principal|principals|identity|serviceaccount|membership create*|creat*|add*|invit*|enabl*|promot*|grant*|activat*|join*|provision*|transfer*|unlock*|new !get !list !read !describe,
         login profile create|update|change, update|reset|change*|set|force password|passwords|passphrase !data !get, password reset|change*|set|update*,
         assign*|grant*|delegat*|impersonat* !read, add to group|role, add member, member added, attach user|group|role|instance, privilege|granted|grant,
         create access|login key|profile, consent to application, oauth authorize|grant|add, saml create|update|add, create|update assume role, admin* add*|grant*|promot*,
         mfa|factor|factors deactivate|reset|disable*|bypass*|remove*|update|delete, associate iam profile, elevate access, share|modify snapshot|image attribute, integration|app install*|approv*",
        Privilege,
    ),
    (
        "login|logon|signin|sign in, log in|on, logged in|on, authenticat*|auth !list !config* !settings !authorization, user|session start|login|begin|open|opened|auth*,
         console login, assume role*, token request*|issue*|refresh*, get session|federation token, sso start|login, session start|created|create|opened, credential validat*, kerberos, initiate auth, mfa|otp|factor challenge|verify|push|attempt*,
         userauth*, login*, ticket request*, preauth*, preauthentication, sts, invalid user, accepted|failed password|publickey",
        Login,
    ),
    (
        "execut*|exec|run|invoke|spawn*|launch*|processrollup|command|commands|script|powershell|attach !policy !role !user !volume !interface !get !list !runner !runs, process start*|create*|creation, started process, send command, service install*, new service, task|job register*|creat*|schedul*, scheduled task, crontab|cron !get, start build|execution, create process, shell, image load*, driver load*, create remote thread, wmi event, process access, registered",
        Execute,
    ),
    ("upload*|import|ingest|multipart upload, put object, send file, copy into, file sent|uploaded, transfer in, stor", Upload),
    (
        "download*|downloaded|export*|exfil*|dump*|backup|git clone, get object, clone, fetch|retr|bulk, unload, copy snapshot|image, get files, data transfer, zip, repo download*, export",
        Download,
    ),
    ("list*|describe*|enumerat*|search*|scan*|discover*|batch|lookup|browse|find|ls|dir|query|propfind|head|inventory|explore !write !delete !create !settings, get all|account|bucket|policy|caller summary|authorization|acl|policy|location|versioning|identity, filter log events", List),
    (
        "delet*|remov*|destroy*|drop*|purg*|unlink|rm|erase|wipe|terminat*|rmdir|trash*|deregister|revoke*|unshare*|detach|archive*|cancel*|uninstall*|deprovision|deactivat*|suspend*, cleanup",
        Delete,
    ),
    (
        "configur*|config|setting|settings|preference*|enable*|disable*|set|setup|modify|modified|tune|toggle|policy|policies|rule|rules|attribute|install*|register* !read !get !view, authorize|revoke|modify security|ingress|egress|group, registry, sandbox, authorize security, change*",
        Configure,
    ),
    (
        "http*|connect*|connection|connections|flow|netflow|dns|network|tcp|udp|icmp|tls|ssl|conn|request|bind|proxy|url|web|options|trace|firewall|allow|allowed|block|blocked|deny|drop|accept|traffic|packet|resolve*|ping|sf|rej|rsto|rstr|rstos|oth|sh|shr|post|get",
        Connect,
    ),
    (
        "creat*|writ*|put|post|patch|updat*|edit*|add*|insert*|upsert|merge|push*|copy|move*|rename*|replac*|save*|append|upload|publish*|commit*|new|start*|stop*|restart|reboot|mkdir|touch|chmod|chown|tag*|untag*|share*|send|sent|enroll|generat*|submit*|approv*|comment*|associat*|disassociat*|allocat*|attach|accept*|restor*|modif*|transfer*|sync*|import*|store|mount*|provision*|schedul*|batch|initiat*|complete*|issue*|sign|resend|undelete",
        Write,
    ),
    ("read*|get*|view*|access*|open*|head|fetch*|retriev*|select*|show|display|decrypt*|preview*|check*|load*|peek|consume|stat|receive*|watch|info|inspect|lookup|describe|test*|verif*|validat*|count|download|play*|visit*|print*|poll", Read),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_into_words() {
        assert_eq!(words("ConsoleLogin"), ["console", "login"]);
        assert_eq!(words("GetIAMUser2"), ["get", "iam", "user"]);
        assert_eq!(
            words("MICROSOFT.COMPUTE/VIRTUALMACHINES/WRITE"),
            ["microsoft", "compute", "virtualmachines", "write"]
        );
        assert_eq!(words("user.session.start"), ["user", "session", "start"]);
        assert!(words("").is_empty() && words("4624").is_empty());
    }

    #[test]
    fn words_have_classes() {
        let wrong: Vec<_> = EXPECTED
            .iter()
            .flat_map(|(class, names)| names.split_whitespace().map(move |name| (name, *class)))
            .filter_map(|(name, class)| {
                let found = classify(name);
                (found != class).then(|| format!("{name}: expected {class:?}, found {found:?}"))
            })
            .collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    const EXPECTED: &[(ActionClass, &str)] = &[
        (Tamper, "log_delete DeleteTrail StopLogging audit_disable UpdateDetector DeleteDetector clear_log"),
        (RemoteLogin, "remote_login ssh_login sshd"),
        (Privilege, "sudo role_change key_create AttachUserPolicy CreateAccessKey"),
        (Login, "login ConsoleLogin"),
        (Upload, "upload"),
        (List, "list ListBuckets DescribeInstances"),
        (Delete, "delete DeleteBucket"),
        (Configure, "config_change"),
        (Connect, "http_post GET"),
        (Write, "write update"),
        (Read, "read view"),
    ];
}
