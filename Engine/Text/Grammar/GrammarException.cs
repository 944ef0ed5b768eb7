namespace NanoAspire.Engine.Text.Grammar;

/// <summary>A constraint that cannot be compiled: malformed, unsupported, unsatisfiable or too large. The message is for the client.</summary>
/// <param name="path">Where in the constraint, as a JSON path from its root (<c>$.properties.tags</c>); null when it has no parts.</param>
/// <param name="message">What is wrong there.</param>
public sealed class GrammarException(string? path, string message) : Exception(path is null ? message : $"{message} (at {path})")
{
    public string? Path { get; } = path;
    /// <summary>The message without the path.</summary>
    public string Reason { get; } = message;
}
