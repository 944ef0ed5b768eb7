namespace NanoAspire.Engine.Text.Jinja;

/// <summary>A template cannot be parsed or rendered. <see cref="ChatTemplate"/> turns it into a <see cref="ChatTemplateException"/>.</summary>
internal sealed class TemplateError(string message, int? line = null, bool raised = false) : Exception(message)
{
    /// <summary>Null while rendering: the context knows which line is being rendered.</summary>
    public int? Line => line;

    /// <summary>The template itself called raise_exception.</summary>
    public bool Raised => raised;
}
