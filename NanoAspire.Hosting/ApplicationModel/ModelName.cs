namespace Aspire.Hosting.ApplicationModel;

/// <summary>The one rule for names of resources and endpoints: they end up in DNS labels, variables and file names.</summary>
internal static class ModelName
{
    public static void Validate(string target, string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        var error = Error(target, name);
        if (error is not null) throw new ArgumentException(error, nameof(name));
    }

    private static string? Error(string target, string name)
    {
        if (name.Length > 64) return $"{target} name '{name}' is invalid: at most 64 characters.";
        if (!char.IsAsciiLetter(name[0])) return $"{target} name '{name}' is invalid: it must start with an ASCII letter.";
        if (!name.All(c => char.IsAsciiLetterOrDigit(c) || c == '-')) return $"{target} name '{name}' is invalid: only ASCII letters, digits and hyphens are allowed.";
        if (name.Contains("--", StringComparison.Ordinal)) return $"{target} name '{name}' is invalid: no two hyphens in a row.";
        if (name[^1] == '-') return $"{target} name '{name}' is invalid: it must not end with a hyphen.";
        return null;
    }
}
