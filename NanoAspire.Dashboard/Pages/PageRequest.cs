using Microsoft.AspNetCore.Http;

namespace NanoAspire.Dashboard.Pages;

/// <summary>The address of a page as its rendering sees it.</summary>
internal sealed class PageRequest(HttpRequest request)
{
    public string Path { get; } = request.Path.Value ?? "/";

    /// <summary>Null when absent or blank.</summary>
    public string? this[string key] => request.Query[key].ToString() is { Length: > 0 } value ? value : null;

    public bool Flag(string key) => this[key] is "1" or "true" or "on";

    public int Number(string key, int otherwise, int max) => int.TryParse(this[key], out var number) && number > 0 ? Math.Min(number, max) : otherwise;

    /// <summary>The parameters of the address, each once.</summary>
    public IEnumerable<(string Key, string Value)> Pairs => request.Query.Select(pair => (pair.Key, pair.Value.ToString())).Where(pair => pair.Item2.Length > 0);

    /// <summary>This address with some parameters changed; null removes one.</summary>
    public string With(params (string Key, string? Value)[] changes)
    {
        var pairs = request.Query.Where(pair => !changes.Any(change => change.Key == pair.Key)).Select(pair => (pair.Key, Value: (string?)pair.Value.ToString()))
            .Concat(changes)
            .Where(pair => !string.IsNullOrEmpty(pair.Value))
            .Select(pair => $"{Uri.EscapeDataString(pair.Key)}={Uri.EscapeDataString(pair.Value!)}");
        var query = string.Join('&', pairs);
        return query.Length == 0 ? Path : $"{Path}?{query}";
    }
}
