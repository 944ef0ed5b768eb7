namespace NanoAspire.Engine.Text;

/// <summary>A tokenizer file is missing, malformed or uses something that is not supported. The message is one line and names the field.</summary>
public sealed class TokenizerException : Exception
{
    public TokenizerException() { }
    public TokenizerException(string message) : base(message) { }
    public TokenizerException(string message, Exception innerException) : base(message, innerException) { }
}
