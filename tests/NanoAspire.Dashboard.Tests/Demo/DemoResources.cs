using NanoAspire.Dashboard.Resources;

namespace NanoAspire.Dashboard.Tests.Demo;

/// <summary>The resources of a small cluster as the application host lists them.</summary>
internal static class DemoResources
{
    public static FakeResources Create(DateTimeOffset now)
    {
        var resources = new FakeResources();
        var started = now - TimeSpan.FromMinutes(27);
        resources.Set(Resource("redis", "Executable", "redis-server", started, ["tcp://localhost:41379"], []) with { Commands = Commands(running: true) });
        resources.Set(Resource("ctrl", "Project", "../Ctrl/Ctrl.csproj", started.AddSeconds(1), ["http://localhost:4479"], ["redis"]));
        resources.Set(Resource("router", "Project", "../Router/Router.csproj", started.AddSeconds(2), ["http://localhost:8080"], ["ctrl"]));
        resources.Set(Resource("prefill", "Project", "../PrefillEngine/PrefillEngine.csproj", started.AddSeconds(2), ["http://localhost:43817"], ["ctrl"]));
        resources.Set(Resource("decode-hqzkwmtb", "Project", "../DecodeEngine/DecodeEngine.csproj", started.AddSeconds(2), ["http://localhost:43821"], ["ctrl"]) with { DisplayName = "decode" });
        resources.Set(Resource("decode-vxrpcjna", "Project", "../DecodeEngine/DecodeEngine.csproj", started.AddSeconds(2), ["http://localhost:43821"], ["ctrl"]) with { DisplayName = "decode" });
        resources.Set(Resource("vision", "Project", "../VisionEncoder/VisionEncoder.csproj", null, [], ["ctrl"]) with
        {
            State = "Waiting", Tone = ResourceTone.Busy, Healthy = null, Commands = Commands(running: false),
        });
        var n = 1;
        foreach (var (resource, text) in (IEnumerable<(string, string)>)
        [
            ("redis", "Ready to accept connections tcp"),
            ("ctrl", "12:00:01.104 \u001b[32minfo\u001b[39m: NanoAspire.Ctrl[1] Registry uses redis at localhost:41379"),
            ("prefill", "12:00:02.310 \u001b[32minfo\u001b[39m: NanoAspire.Engine[3] Loaded nano-demo: 3.6M parameters, bf16, 7.2 MB in 0.21s"),
            ("prefill", "12:00:02.355 \u001b[32minfo\u001b[39m: NanoAspire.Engine[7] KV cache: 512 blocks of 64 tokens, 64 MiB"),
            ("decode-hqzkwmtb", "12:00:02.402 \u001b[32minfo\u001b[39m: NanoAspire.Engine[3] Loaded nano-demo: 3.6M parameters, bf16, 7.2 MB in 0.20s"),
            ("decode-vxrpcjna", "12:00:02.417 \u001b[33mwarn\u001b[39m: NanoAspire.Engine[9] Transport shm is not available, using tcp"),
            ("router", "12:00:03.001 \u001b[32minfo\u001b[39m: NanoAspire.Router[2] 1 prefill and 2 decode engines serve nano-demo"),
        ]) resources.Write(resource, text, time: started.AddSeconds(n), number: n++);
        return resources;
    }

    private static DashboardResource Resource(string name, string type, string source, DateTimeOffset? started, string[] urls, string[] references) => new()
    {
        Name = name, DisplayName = name, Type = type, State = "Running", Tone = ResourceTone.Good, Healthy = true, Source = source, StartedAt = started,
        Urls = [.. urls.Select(url => new ResourceUrl("http", url))],
        Relations = [.. references.Select(reference => new ResourceRelation(reference, "Reference"))],
        HealthReports = [new HealthReport($"{name}_http_/health_200_check", true, null)],
        Environment =
        [
            new("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:18890"), new("OTEL_EXPORTER_OTLP_HEADERS", "x-otlp-api-key=5a1f00c0ffee"),
            new("OTEL_SERVICE_NAME", name), new("ConnectionStrings__redis", "localhost:41379,password=hunter2"), new("services__ctrl__http__0", "http://localhost:4479"),
        ],
        Properties = [new("process id", "48213"), new("working directory", "/home/ada/nanoaspire")],
        Commands = Commands(running: true),
    };

    private static ResourceCommand[] Commands(bool running) =>
        [new("start", "Start", !running), new("stop", "Stop", running, Confirmation: "Stop this resource?"), new("restart", "Restart", running, Highlighted: running)];
}
