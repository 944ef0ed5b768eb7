using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Configuration.UserSecrets;
using Microsoft.Extensions.Hosting;

namespace NanoAspire.Hosting.Model;

/// <summary>
/// The host project's user secrets (<c>dotnet user-secrets</c>), where generated passwords and keys are kept so that they survive a
/// restart. Null for projects without a <c>UserSecretsId</c>, outside of development, when publishing and under test.
/// </summary>
internal sealed class UserSecrets(string path)
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };
    private static readonly Lock Gate = new();

    public static UserSecrets? Of(IDistributedApplicationBuilder builder)
    {
        if (!builder.ExecutionContext.IsRunMode || !builder.Environment.IsDevelopment()) return null;
        if (string.Equals(builder.Configuration["DcpPublisher:RandomizePorts"], "true", StringComparison.OrdinalIgnoreCase)) return null;
        var id = builder.AppHostAssembly?.GetCustomAttributes(typeof(UserSecretsIdAttribute), inherit: false).OfType<UserSecretsIdAttribute>().FirstOrDefault()?.UserSecretsId;
        return id is null ? null : new UserSecrets(PathHelper.GetSecretsPathFromSecretsId(id));
    }

    /// <summary>
    /// Sets one value and leaves the others. The file is replaced as a whole and only its owner may read it. False when it cannot be
    /// written or is not what it should be: the application runs without being remembered.
    /// </summary>
    public bool TrySet(string key, string value)
    {
        try
        {
            lock (Gate)
            {
                var secrets = File.Exists(path) && JsonNode.Parse(File.ReadAllText(path), documentOptions: new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true }) is JsonObject known ? known : [];
                secrets[key] = value;
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                var fresh = $"{path}.{Environment.ProcessId}";
                var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
                if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
                using (var writer = new StreamWriter(fresh, options)) writer.Write(secrets.ToJsonString(Indented));
                File.Move(fresh, path, overwrite: true);
            }
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return false;
        }
    }
}
