using System.Text;
using Aspire.Hosting.Docker;

namespace NanoAspire.Hosting.Publishing.Compose;

/// <summary>The variables that a compose file takes from <c>.env</c>.</summary>
internal sealed class ComposeVariables
{
    private readonly OrderedDictionary<string, CapturedEnvironmentVariable> _all = [];

    public IDictionary<string, CapturedEnvironmentVariable> All => _all;

    /// <summary>A reference to the variable; one without a default stops <c>compose up</c> until it is set.</summary>
    public string Reference(string name, string description, string? value, IResource? resource = null, object? source = null)
    {
        var key = Key(name);
        _all.TryAdd(key, new() { Name = key, Description = description, DefaultValue = value, Resource = resource, Source = source });
        return value is null ? $"${{{key}:?set {key} in .env}}" : $"${{{key}}}";
    }

    /// <summary>The file's text. Lines that are there keep their values, whatever became of the variable.</summary>
    public string Render(string? existing)
    {
        var text = new StringBuilder(existing?.TrimEnd() ?? "");
        if (text.Length > 0) text.Append('\n');
        var known = (existing ?? "").Split('\n').Select(line => line.Split('=', 2)[0].Trim()).ToHashSet();
        foreach (var (name, variable) in _all)
        {
            if (known.Contains(name)) continue;
            if (text.Length > 0) text.Append('\n');
            text.Append("# ").Append(variable.Description).Append('\n').Append(name).Append('=').Append(variable.DefaultValue).Append('\n');
        }
        return text.ToString();
    }

    private static string Key(string name) => new([.. name.Select(c => char.IsAsciiLetterOrDigit(c) ? char.ToUpperInvariant(c) : '_')]);
}
