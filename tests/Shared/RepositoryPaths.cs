namespace NanoAspire.Tests;

/// <summary>Folders of the checkout, found from the test binary upwards.</summary>
public static class RepositoryPaths
{
    /// <summary>The folder that holds <c>NanoAspire.slnx</c>.</summary>
    public static string Root { get; } = FindRoot();

    public static string DemoModel => Path.Combine(Root, "models", "nano-demo");

    /// <summary>Reference checkpoints and outputs, kept in the repository for the tests.</summary>
    public static string Goldens => Path.Combine(Root, "tests", "goldens");

    private static string FindRoot()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "NanoAspire.slnx"))) return folder;
        }
        throw new DirectoryNotFoundException($"No NanoAspire.slnx above {AppContext.BaseDirectory}");
    }
}
