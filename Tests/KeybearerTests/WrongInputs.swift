/// The rows of ``WrongInputTests``, by command.
enum WrongInputs {
    typealias Row = WrongInputTests.Row

    static let all: [Row] =
        general + serve + status + login + paste + profiles + token + config + env + run + tools + agents + onboard + rest + files

    private static let token80 = "sk-ant-oat01-canary" + String(repeating: "x", count: 80)

    static let general: [Row] = [
        Row("frobnicate", 64, "expected one of onboard, serve, run, env, tools, models, status, login"),
        Row("--bogus", 64, "Unknown option '--bogus'"),
        Row("models frobnicate", 64, "Unexpected argument 'frobnicate'; expected one of status, auth"),
        Row("models auth frobnicate", 64, "expected one of add, login, setup-token, paste-token, paste-api-key, list, order, logout"),
        Row("models auth order frobnicate", 64, "expected one of get, set, clear"),
        Row("config frobnicate", 64, "expected one of check, show"),
        Row("tls frobnicate", 64, "expected one of init"),
        Row("tls init --name a_b", 64, "--name a_b: expected an address, or a host name"),
        Row("--stat-dir /x models", 64, "Unknown option '--stat-dir'"),
    ]

    static let serve: [Row] = [
        Row("serve extra", 64, "Unexpected argument 'extra'; nothing more was expected there"),
        Row("serve --listen", 64, "Missing value for '--listen <address>': Loopback address to listen on"),
        Row("serve --listen nowhere", 64, "--listen: expected an address and a port", "such as \"127.0.0.1:5392\""),
        Row("serve --listen 127.0.0.1", 64, "--listen: expected an address and a port", "such as"),
        Row("serve --listen 127.0.0.1:99999", 64, "--listen: expected an address and a port", "such as"),
        Row("serve --listen 0.0.0.0:80", 64, "--listen: expected", ""), Row("serve --listen 192.0.2.1:80", 64, "--listen: expected", ""),
        Row("serve --workers 0", 64, "--workers: expected a whole number from 1 to 64", ""),
        Row("serve --workers 65", 64, "--workers: expected a whole number from 1 to 64", ""),
        Row("serve --workers many", 64, "'many' is invalid for '--workers <count>': Event loops, 1 to 64"),
        Row("serve --log-level loud", 64, "--log-level: expected \"trace\", \"debug\"", "or \"critical\""),
        Row("serve --config /nowhere.json5", 78, "/nowhere.json5: there is no such file", "name one that is there, or leave it out"),
        Row("serve --config /", 78, "/: expected a file of settings", ""), Row("serve --port 80", 64, "Unknown option '--port'"),
    ]

    static let status: [Row] = [
        Row("models status extra", 64, "Unexpected argument 'extra'; nothing more was expected there"),
        Row("models status --probe-provider openai", 64, "add --probe"),
        Row("models status --probe-profile openai:default", 64, "add --probe"),
        Row("models status --probe --probe-provider nobody", 64, "there is no provider \"nobody\"", "there are anthropic, "),
        Row("models status --probe --probe-profile ghost", 1, "there is no profile ghost to probe", "`keybearer models status` lists"),
        Row(
            "models status --probe --probe-profile openai:default,ghost", 1, "there is no profile ghost", "`keybearer models status` lists"),
        Row("models status --json --plain", 64, "--json and --plain are two ways to print the same"),
        Row("models status --probe --probe-concurrency 0", 64, "--probe-concurrency is 1 to 32 profiles"),
        Row("models status --probe --probe-max-tokens 9999", 64, "--probe-max-tokens is 1 to 1024 tokens"),
        Row("models status --probe --probe-timeout 5", 64, "--probe-timeout is 100 to 600000 ms"),
        Row("models status --probe --probe-timeout soon", 64, "'soon' is invalid for '--probe-timeout <ms>': How long an answer may take"),
        Row("status --fancy", 64, "Unknown option '--fancy'"), Row("status --check=1", 64, "does not take any value"),
    ]

    static let login: [Row] = [
        Row("login extra", 64, "Unexpected argument 'extra'"), Row("login --bogus", 64, "Unknown option '--bogus'"),
        Row("login --provider nobody", 64, "there is no provider \"nobody\"", "there are anthropic, "),
        Row("login --provider opnai", 64, "there is no provider \"opnai\"", "did you mean \"openai\"?"),
        Row(
            "login --provider anthropic", 64, "anthropic has no login here", "use `keybearer models auth setup-token --provider anthropic`"),
        Row("login --provider openai", 64, "openai has no login here", "use `keybearer models auth paste-api-key --provider openai`"),
        Row("login --device-code --paste", 64, "exclude each other; choose one way"),
        Row("login --timeout 5", 64, "from 1s to 1h, such as 90s or 15m"),
        Row("login --timeout 2h", 64, "from 1s to 1h"), Row("login --timeout soon", 64, "from 1s to 1h"),
        Row("login --provider", 64, "Missing value for '--provider <provider>': Whom to log in to"),
        Row("login --profile-id", 64, "Missing value for '--profile-id <id>': The profile's name"),
        Row("login --profile-id ", 64, "--profile-id is 1 to 256 octets"),
        Row("login --profile-id \(String(repeating: "x", count: 257))", 64, "--profile-id is 1 to 256 octets"),
        Row("models auth add", 64, "this command asks at a terminal", "use login, setup-token, paste-token or paste-api-key"),
        Row("models auth add extra", 64, "Unexpected argument 'extra'"),
        Row("models auth setup-token --provider openai", 64, "openai has no setup-tokens", "use `keybearer models auth paste-api-key"),
        Row("models auth setup-token --provider nobody", 64, "there is no provider", "there are"),
        Row("models auth setup-token", 64, "there is no setup-token for anthropic on standard input", ""),
        Row(
            "models auth setup-token", 64, "does not look like a setup-token", "as `claude setup-token` prints it",
            input: "sk-ant-api03-canary"),
        Row("models auth setup-token", 64, "shorter than a setup-token", "perhaps its end was not copied", input: "sk-ant-oat01-canary"),
        Row("models auth setup-token \(token80)", 64, "is never on the command line"),
        Row(
            "models auth setup-token --profile-id openai:default", 64, "openai:default holds an API key of openai already", "--replace",
            input: token80),
    ]

    static let paste: [Row] = [
        Row("models auth paste-token", 64, "Missing expected argument '--provider <provider>': Whose credential it is"),
        Row("models auth paste-token --provider nobody", 64, "there is no provider", "there are"),
        Row("models auth paste-token --provider anthropic --expires-in soon", 64, "with ms, s, m, h or d, such as 30d or 12h"),
        Row("models auth paste-token --provider anthropic --expires-in 0", 64, "such as 30d or 12h"),
        Row("models auth paste-token --provider anthropic --expires-in 1y", 64, "such as 30d or 12h"),
        Row("models auth paste-token --provider anthropic --expires-in -3d", 64, "Missing value for '--expires-in"),
        Row(
            "models auth paste-token --provider anthropic", 64, "does not look like a setup-token", "add --any-shape", input: "canary-token"
        ),
        Row("models auth paste-token --provider ollama", 64, "ollama needs no credential", "use it as it is", input: "canary"),
        Row("models auth paste-token --provider openai", 64, "there is no token for openai on standard input", "", input: " \n"),
        Row("models auth paste-api-key", 64, "Missing expected argument '--provider <provider>'"),
        Row("models auth paste-api-key --provider antropic", 64, "there is no provider \"antropic\"", "did you mean \"anthropic\"?"),
        Row(
            "models auth paste-api-key --provider openai-codex", 64, "cannot be used with an API key", "add keybearer models auth login",
            input: "canary"),
        Row("models auth paste-api-key --provider openai sk-canary-on-the-line", 64, "is never on the command line"),
        Row("models auth paste-api-key --provider openai --key sk-canary", 64, "Unknown option '--key'"),
        Row("models auth paste-api-key --provider openai --profile-id ", 64, "such as anthropic:work", input: "canary"),
        Row("models auth paste-api-key --provider openai", 64, "there is no API key for openai on standard input", ""),
        Row("models auth paste-api-key --provider openai", 64, "one word of visible ASCII", "", input: "two canary words\n"),
        Row("models auth paste-api-key --provider openai", 64, "one word of visible ASCII", "", input: "canary-käse\n"),
        Row(
            "models auth paste-api-key --provider openai", 64, "holds more than a credential", "",
            input: String(repeating: "x", count: 70_000)),
        Row(
            "models auth paste-token --provider openai --profile-id openai:default", 64, "holds an API key already", "--replace",
            input: "canary"),
    ]

    static let profiles: [Row] = [
        Row("models auth logout", 64, "Missing expected argument '<profile>': The profile, as `keybearer models status` names it"),
        Row("models auth logout ghost", 1, "There is no profile ghost", "`keybearer models status` lists those there are"),
        Row("models auth logout openai:twin b", 64, "Unexpected argument 'b'; nothing more was expected there"),
        Row("models auth list --provider", 64, "Missing value for '--provider <provider>': Only those of this provider"),
        Row("models auth list extra", 64, "Unexpected argument 'extra'"),
        Row("models auth order get", 64, "Missing expected argument '--provider"),
        Row("models auth order get --provider nobody", 64, "there is no provider \"nobody\"", "there are"),
        Row(
            "models auth order set --provider openai", 64, "Missing expected argument '<profile> ...': Profiles of the provider, best first"
        ),
        Row("models auth order set --provider openai ghost", 1, "There is no profile ghost", "`keybearer models status` lists"),
        Row(
            "models auth order set --provider openai anthropic:work", 1, "anthropic:work belongs to anthropic",
            "name it in the order of anthropic"),
        Row("models auth order set --provider nobody x", 64, "there is no provider", "there are"),
        Row("models auth order clear", 64, "Missing expected argument '--provider"),
        Row("models auth order clear --provider openai x", 64, "Unexpected argument 'x'"),
        Row("channels nothing", 64, "Unexpected argument 'nothing'; expected one of list"),
        Row("channels list --usage", 64, "Unknown option '--usage'"),
        Row("channels list extra", 64, "Unexpected argument 'extra'"),
    ]

    static let token: [Row] = [
        Row("token", 64, "Missing expected argument '<profile>': Whose credential"),
        Row("token ghost", 64, "there is no profile \"ghost\"", "there are anthropic:work, openai:default"),
        Row("token openai:defalt", 64, "there is no profile \"openai:defalt\"", "did you mean \"openai:default\"?"),
        Row("token openai:default --header --json", 64, "--json has the header fields, too"),
        Row("token openai:default --min-validity soon", 64, "it is 0, or a number with ms, s, m, h or d, such as 10m"),
        Row("token openai:default --min-validity 5", 64, "such as 10m"), Row("token openai:default b", 64, "Unexpected argument 'b'"),
    ]

    static let config: [Row] = [
        Row("config check extra", 64, "Unexpected argument 'extra'"), Row("config show --bogus", 64, "Unknown option '--bogus'"),
        Row("config check --config /nowhere.json5", 78, "/nowhere.json5: there is no such file", "name one that is there"),
        Row("config check --config /", 78, "/: expected a file of settings", ""),
        Row("config check", 78, "keybearer.json5:1:3: lissen:", "listen", settings: "{ lissen: [] }"),
        Row("config check", 78, "keybearer.json5:1:12: workers: expected a whole number from 1 to 64", "", settings: "{ workers: 0 }"),
        Row("config check", 78, "keybearer.json5:1:1", "expected", settings: "{ listen: "),
        Row("config check", 78, "listen[0]: expected", "", settings: "{ listen: ['0.0.0.0:80'] }"),
        Row("config check", 78, "timeouts.head: expected", "", settings: "{ timeouts: { head: 'soon' } }"),
        Row("config check", 78, "routes.default: ", "", settings: "{ routes: { default: 'nobody' } }"),
        Row("config check", 78, "is given twice", "keep one", settings: "{ workers: 1, workers: 2 }"),
    ]

    static let env: [Row] = [
        Row("env extra", 64, "Unexpected argument 'extra'"),
        Row("env --tool", 64, "Missing value for '--tool <tool>': A tool of `keybearer tools`"),
        Row("env --tool nothing", 64, "\"nothing\" is not a tool that Keybearer knows", "it knows claude, codex, "),
        Row("env --tool cursor", 64, "Cursor cannot use Keybearer", "calls the models from its own servers"),
        Row("env --shell ksh", 64, "'ksh' is invalid for '--shell"),
        Row("env --shell", 64, "Missing value for '--shell <shell>': bash, zsh or fish"),
        Row("env --provider nobody", 64, "there is no provider \"nobody\"", "there are"),
        Row("env --provider chatgpt", 64, "not speak what chatgpt serves", "it can be sent to"),
        Row("env --tool claude --provider openai", 64, "Claude Code does not speak what openai serves", "it can be sent to anthropic"),
        Row("env --tool codex --provider google", 64, "does not speak what google serves", "openai-codex, openai, azure-openai"),
        Row("env --tool groq-sdk --provider openai", 64, "does not speak what openai serves", "it can be sent to groq"),
        Row("env --profile ghost", 1, "there is no profile ghost", "`keybearer models status` lists"),
        Row("env --tool claude --profile openai:default", 64, "Claude Code does not speak", "it can be sent to"),
        Row("env --profile twin", 1, "twin is the name of more than one profile", "`keybearer models status` lists"),
        Row("env --provider anthropic --profile openai:default", 64, "openai:default is a profile of openai, not of anthropic", ""),
        Row("env --bogus", 64, "Unknown option '--bogus'"), Row("env --json=yes", 64, "--json"),
        Row("env --config /nowhere.json5", 78, "/nowhere.json5: there is no such file", "name one that is there"),
        Row("env --state-dir", 64, "Missing value for '--state-dir <dir>': Folder of settings and credentials"),
        Row("env --session x", 64, "Unknown option '--session'"),
    ]

    static let run: [Row] = [
        Row("run", 64, "Name the program to start: keybearer run -- claude"),
        Row("run --", 64, "Name the program to start: keybearer run -- claude"),
        Row("run --profile", 64, "Missing value for '--profile <id>': Profile that every request is to use"),
        Row("run --bogus -- true", 64, "--bogus is no option of `keybearer run`; the program comes after --"),
        Row("run --agent -- true", 64, "Missing value for '--agent <id>'"),
        Row("run -- nosuchprogram", 127, "there is no program \"nosuchprogram\"", "is it installed, and its folder on the PATH?"),
        Row("run -- /nowhere/claude", 127, "there is no program", "is it installed"),
        Row("run -- /etc/passwd", 127, "there is no program", "is it installed"),
        Row("run --profile ghost -- true", 1, "there is no profile ghost", "`keybearer models status` lists"),
        Row("run --profile openai:default -- claude", 64, "Claude Code does not speak", "it can be sent to anthropic"),
        Row("run -- cursor", 64, "Cursor cannot use Keybearer", "calls the models from its own servers"),
        Row("run --provider nobody -- true", 64, "there is no provider \"nobody\"", "there are"),
        Row("run --session é -- true", 64, "one word of visible ASCII", "at most 256 characters"),
        Row("run --session  -- true", 64, "one word", ""),
        Row("run --session s --provider openai-codex -- codex", 1, "no profile of openai-codex", "keybearer models auth login"),
        Row("run --session s -- gptme", 64, "gptme has no way to name a session", "leave --session out"),
        Row("run --provider openai-codex -- codex", 1, "no profile of openai-codex", "keybearer models auth login --provider openai-codex"),
        Row("run --agent empty -- claude", 1, "there is no profile of anthropic", "add one: keybearer models auth setup-token"),
        Row("run --config /nowhere -- true", 78, "/nowhere: there is no such file", "name one that is there"),
        Row("run --provider google -- true", 1, "no profile of google", "paste-api-key --provider google"),
        Row("run --state-dir /nowhere/deep -- claude", 1, "there is no profile", "add one: keybearer models auth"),
    ]

    static let tools: [Row] = [
        Row("tools nothing", 64, "Unexpected argument 'nothing'; expected one of list, setup"),
        Row("tools setup", 64, "Missing expected argument '<tool>': The tool"),
        Row("tools setup nothing", 64, "is not a tool that Keybearer knows", "it knows claude"),
        Row("tools setup llm", 64, "the configuration of llm is not edited", "use `keybearer env --tool llm`"),
        Row("tools setup cursor", 64, "the configuration of Cursor is not edited", "calls the models from its own servers"),
        Row("tools setup continue", 64, "the configuration of Continue is not edited", "Give each model of its config.yaml an apiBase"),
        Row("tools setup codex claude", 64, "Unexpected argument 'claude'; nothing more was expected there"),
        Row("tools setup codex --undo", 1, "config.toml holds nothing of Keybearer's", "there is nothing to undo"),
        Row("tools setup claude --undo", 1, "settings.json holds nothing of Keybearer's", "there is nothing to undo"),
        Row("tools setup aider --undo", 1, ".aider.conf.yml holds nothing of Keybearer's", "there is nothing to undo"),
        Row("tools setup codex --undo --profile a", 64, "--undo takes no --provider and no --profile"),
        Row("tools setup codex --undo --provider openai", 64, "--undo takes no --provider"),
        Row("tools setup claude --provider google", 64, "does not speak what google serves", "it can be sent to"),
        Row("tools setup claude --profile ghost", 1, "there is no profile ghost", "`keybearer models status` lists"),
        Row("tools --undo", 64, "Unknown option '--undo'"), Row("tools list extra", 64, "Unexpected argument 'extra'"),
        Row("tools setup codex --json", 64, "Unknown option '--json'"),
    ]

    static let agents: [Row] = [
        Row("agents nothing", 64, "Unexpected argument 'nothing'; expected one of list, add, remove"),
        Row("agents add", 64, "Missing expected argument '<name>': The agent's name"), Row("agents add ---", 64, ""),
        Row("agents add é", 64, "at least one letter (a-z) or digit"), Row("agents add a b", 64, "Unexpected argument 'b'"),
        Row("agents add main", 1, "there is an agent main already", "in /"),
        Row("agents remove", 64, "Missing expected argument '<name>': The agent"),
        Row("agents remove ghost", 1, "there is no agent ghost", "`keybearer agents list` lists"),
        Row("agents remove main", 1, "main is the default agent", "which is not removed"),
        Row("agents list --yes", 64, "Unknown option '--yes'"), Row("agents remove ghost --force", 64, "Unknown option '--force'"),
    ]

    static let onboard: [Row] = [
        Row("onboard", 64, "onboard asks at a terminal", "use --non-interactive with --auth-choice"),
        Row("onboard --non-interactive", 64, "needs --auth-choice: openai-codex, setup-token, token, apiKey or skip"),
        Row("onboard --non-interactive --auth-choice chatgpt", 64, "there is no choice \"chatgpt\"", "there are openai-codex, setup-token"),
        Row("onboard --non-interactive --auth-choice apiKey", 64, "needs --token-stdin", "a credential is read from standard input"),
        Row(
            "onboard --non-interactive --auth-choice apiKey --token-stdin", 64, "--auth-choice apiKey needs --provider", "", input: "canary"
        ),
        Row("onboard --non-interactive --auth-choice nobody-api-key --token-stdin", 64, "there is no provider \"nobody\"", "there are"),
        Row("onboard --non-interactive --auth-choice skip --setup-tool vim", 64, "--setup-tool is one of claude, codex", "not vim"),
        Row("onboard --token-stdin", 64, "--token-stdin goes with --non-interactive"),
        Row("onboard --provider openai", 64, "go with --auth-choice"),
        Row("onboard --auth-choice token --expires-in soon", 64, "such as 30d or 12h"),
        Row("onboard --auth-choice token --profile-id ", 64, "such as anthropic:work"),
    ]

    static let rest: [Row] = [
        Row("doctor extra", 64, "Unexpected argument 'extra'"), Row("doctor --fix=all", 64, "--fix"),
        Row("doctor --repair", 64, "Unknown option '--repair'"),
        Row("doctor --config /nowhere.json5", 78, "/nowhere.json5: there is no such file", "name one that is there"),
        Row("sandbox --port 99999", 64, "'99999' is invalid for '--port <port>': Port on 127.0.0.1"),
        Row("sandbox --lifetime x", 64, "'x' is invalid for '--lifetime <seconds>': How long access tokens live"),
        Row("sandbox --write-state /", 1, "/ is not empty and was not made by `keybearer sandbox`", "name a new folder"),
        Row("demo extra", 64, "Unexpected argument 'extra'"), Row("selftest --seconds x", 64, "'x' is invalid for '--seconds"),
        Row("start-server", 64, "Missing expected argument '--log <file>'"),
    ]

    private static let broken = "{\n  \"version\": 1,\n  canary\n}"
    static let files: [Row] = [
        Row("models status", 1, "auth-profiles.json:3:3: ", "correct it, or", store: broken),
        Row("env", 1, "auth-profiles.json:3:3: ", "correct it, or", store: broken),
        Row("models auth list", 1, "auth-profiles.json:3:3: ", "correct it, or", store: broken),
        Row("models auth logout openai:default", 1, "auth-profiles.json:3:3: ", "correct it, or", store: broken),
        Row("models auth paste-api-key --provider openai", 1, "auth-profiles.json:3:3: ", "correct it, or", input: "canary", store: broken),
        Row("models auth order get --provider openai", 1, "auth-profiles.json:1:1: ", "correct it, or", store: "[]"),
        Row("token openai:default", 1, "auth-profiles.json:3:3: ", "correct it, or", store: broken),
        Row("run -- true", 1, "auth-profiles.json:3:3: ", "correct it, or", store: broken),
    ]
}
