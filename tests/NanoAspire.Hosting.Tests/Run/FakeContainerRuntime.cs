namespace NanoAspire.Hosting.Tests.Run;

/// <summary>A program that is called like docker and writes down how. Its containers run until they are asked to end.</summary>
internal sealed class FakeContainerRuntime : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("nanoaspire-runtime-");

    public FakeContainerRuntime(int buildExitCode = 0)
    {
        File.WriteAllText(Path, $$"""
            #!/bin/sh
            named() { while test "$1" != --name; do shift; done; echo "$2"; }
            case "$1" in
              ps) exit 0 ;;
              build) printf '%s\n' "$@" > "{{_folder}}/build"; echo "Step 1/1"; exit {{buildExitCode}} ;;
              rm) printf '%s\n' "$@" > "{{_folder}}/rm"; echo removed >> "{{_folder}}/lives.$3"; rm -f "{{_folder}}/label.$3"; exit 0 ;;
              run) trap 'exit 0' TERM; shift; name=$(named "$@"); env > "{{_folder}}/env.$name"; printf '%s\n' "$@" > "{{_folder}}/run.$name.part"; mv "{{_folder}}/run.$name.part" "{{_folder}}/run.$name"
                echo "SECRET is $SECRET"; while :; do sleep 0.1; done ;;
              network) case "$2" in
                  inspect) test -f "{{_folder}}/network.$3" && echo '[{"IPAM": {"Config": [{"Gateway": "127.0.0.2"}]} }]'; exit ;;
                  create) touch "{{_folder}}/network.$3"; exit 0 ;;
                  rm) rm "{{_folder}}/network.$3"; exit ;;
                esac ;;
              create) name=$(named "$@"); echo "$3" | cut -d= -f2 > "{{_folder}}/label.$name"; printf '%s\n' "$@" > "{{_folder}}/create.$name"; env > "{{_folder}}/env.$name"; echo created >> "{{_folder}}/lives.$name"; echo 0123; exit 0 ;;
              inspect) test -f "{{_folder}}/label.$6" && cat "{{_folder}}/label.$6"; exit ;;
              start) echo started >> "{{_folder}}/lives.$4"; echo "attached to $4"; while ! test -f "{{_folder}}/stop.$4"; do sleep 0.1; done; rm "{{_folder}}/stop.$4"; exit 0 ;;
              stop) echo stopped >> "{{_folder}}/lives.$2"; touch "{{_folder}}/stop.$2"; exit 0 ;;
            esac
            exit 1
            """);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    public string Path => System.IO.Path.Combine(_folder.FullName, "docker");

    /// <summary>The arguments of the last call of a command; <c>run</c> and <c>create</c> without that word and by container. Empty when there was none.</summary>
    public string[] Call(string command) => File.Exists(System.IO.Path.Combine(_folder.FullName, command)) ? File.ReadAllLines(System.IO.Path.Combine(_folder.FullName, command)) : [];

    /// <summary>What happened to a container that was created: created, started, stopped, removed.</summary>
    public string Lives(string name) => string.Join(' ', Call($"lives.{name}"));

    /// <summary>A container that was there before.</summary>
    public void AddForeign(string name) => File.WriteAllText(System.IO.Path.Combine(_folder.FullName, $"label.{name}"), "\n");

    public string[] Networks() => [.. Directory.GetFiles(_folder.FullName, "network.*").Select(f => System.IO.Path.GetFileName(f)["network.".Length..])];

    public string? Variable(string container, string name) => Call($"env.{container}").FirstOrDefault(l => l.StartsWith($"{name}=", StringComparison.Ordinal))?[(name.Length + 1)..];

    /// <summary>The arguments that a container was run with, once it is.</summary>
    public async Task<string[]> RunAsync(string container, CancellationToken ct)
    {
        for (var i = 0; Call($"run.{container}").Length == 0; i++)
        {
            Assert.True(i < 600, $"container {container} was not run");
            await Task.Delay(50, ct);
        }
        return Call($"run.{container}");
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
