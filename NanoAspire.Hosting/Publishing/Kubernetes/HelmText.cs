namespace NanoAspire.Hosting.Publishing.Kubernetes;

/// <summary>A value in template notation.</summary>
/// <param name="Text">Literal text with <c>{{ … }}</c> for what the values decide.</param>
/// <param name="IsSecret">Whether a secret is part of it.</param>
/// <param name="IsLiteral">Whether nothing in it is a template.</param>
internal readonly record struct HelmText(string Text, bool IsSecret, bool IsLiteral)
{
    /// <summary>Text that templates leave as it is.</summary>
    public static HelmText Literal(string text) => new(Escape(text), IsSecret: false, IsLiteral: true);

    public static HelmText Reference(string expression, bool secret = false) => new($"{{{{ {expression} }}}}", secret, IsLiteral: false);

    public static string Escape(string text) => text.Replace("{{", "{{ `{{` }}", StringComparison.Ordinal);
}
