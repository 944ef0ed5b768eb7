namespace NanoAspire.Hosting.Tests.Run;

/// <summary>A program that is called like docker and writes down how. Its containers run until they are asked to end.</summary>
internal sealed class FakeContainerRuntime : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("nanoaspire-runtime-");

    public FakeContainerRuntime(int buildExitCode = 0)
    {
        File.WriteAllText(Path, $"""
            #!/bin/sh
            case "$1" in
              ps) exit 0 ;;
              build) printf '%s\n' "$@" > "{_folder}/build"; echo "Step 1/1"; exit {buildExitCode} ;;
              rm) printf '%s\n' "$@" > "{_folder}/rm"; exit 0 ;;
              run) printf '%s\n' "$@" > "{_folder}/run"; trap 'exit 0' TERM; echo "SECRET is $SECRET"; while :; do sleep 0.1; done ;;
            esac
            exit 1
            """);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    public string Path => System.IO.Path.Combine(_folder.FullName, "docker");

    /// <summary>The arguments of the last call of a command; empty when there was none.</summary>
    public string[] Call(string command) => File.Exists(System.IO.Path.Combine(_folder.FullName, command)) ? File.ReadAllLines(System.IO.Path.Combine(_folder.FullName, command)) : [];

    public void Dispose() => _folder.Delete(recursive: true);
}
