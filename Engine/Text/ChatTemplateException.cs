namespace NanoAspire.Engine.Text;

/// <summary>A chat template cannot be read, or refuses the conversation.</summary>
public sealed class ChatTemplateException : Exception
{
    public ChatTemplateException() { }
    public ChatTemplateException(string message) : base(message) { }
    public ChatTemplateException(string message, Exception innerException) : base(message, innerException) { }

    /// <summary>The template called raise_exception: the message is its own, and meant for whoever sent the conversation.</summary>
    public bool RaisedByTemplate { get; init; }

    /// <summary>The line of the template, where that is known.</summary>
    public int? Line { get; init; }
}
