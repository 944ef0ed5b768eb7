namespace NanoAspire.Hosting.Tests.Publishing;

/// <summary>An application in publish mode, with a folder of its own that goes away with it.</summary>
internal sealed class PublishedApplication : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("nanoaspire-publish-");

    /// <param name="publisher">What <c>--publisher</c> says.</param>
    /// <param name="file">The output path inside the folder.</param>
    /// <param name="args">More arguments.</param>
    public PublishedApplication(string publisher, string file = "out", params string[] args)
    {
        Output = Path.Combine(_folder.FullName, file);
        Host = _folder.CreateSubdirectory("src/Host").FullName;
        Builder = DistributedApplication.CreateBuilder(new DistributedApplicationOptions
        {
            Args = ["--publisher", publisher, "--output-path", Output, .. args],
            ProjectDirectory = Host,
            DisableDashboard = true,
        });
    }

    public IDistributedApplicationBuilder Builder { get; }

    /// <summary>The folder that the host project would lie in.</summary>
    public string Host { get; }
    public string Output { get; }

    public async Task<PublishedApplication> RunAsync()
    {
        await using var application = Builder.Build();
        await application.RunAsync(TestContext.Current.CancellationToken);
        return this;
    }

    public string Read(string path) => File.ReadAllText(Path.Combine(Output, path));

    /// <summary>Paths of all files in the output, sorted.</summary>
    public IEnumerable<string> Files() => Directory.EnumerateFiles(Output, "*", SearchOption.AllDirectories)
        .Select(f => Path.GetRelativePath(Output, f).Replace('\\', '/')).Order(StringComparer.Ordinal);

    public void Dispose() => _folder.Delete(recursive: true);
}
