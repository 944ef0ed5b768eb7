namespace NanoAspire.Hosting.Publishing;

/// <summary>Writes the files of a publisher.</summary>
internal static class OutputFolder
{
    /// <param name="folder">Made if it is not there.</param>
    /// <param name="files">Contents by path relative to the folder, with forward slashes.</param>
    /// <param name="generated">
    /// A folder whose subfolders belong to the publisher: what an earlier model left in them is removed. Files directly in it, and everything else, is the user's.
    /// </param>
    /// <param name="ct">Stops between files.</param>
    public static async Task WriteAsync(string folder, IReadOnlyDictionary<string, string> files, string? generated, CancellationToken ct)
    {
        Directory.CreateDirectory(folder);
        foreach (var (path, text) in files)
        {
            var file = Path.Combine(folder, path);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            await File.WriteAllTextAsync(file, text, ct).ConfigureAwait(false);
        }
        if (generated is null || Path.Combine(folder, generated) is var owned && !Directory.Exists(owned)) return;
        foreach (var subfolder in Directory.GetDirectories(owned))
        {
            foreach (var old in Directory.GetFiles(subfolder, "*.yaml").Where(f => !files.ContainsKey(Path.GetRelativePath(folder, f).Replace('\\', '/')))) File.Delete(old);
            if (!Directory.EnumerateFileSystemEntries(subfolder).Any()) Directory.Delete(subfolder);
        }
    }
}
