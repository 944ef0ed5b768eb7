namespace NanoAspire.Engine.Loading;

/// <summary>A model folder cannot be loaded. The message is one line, whatever the files hold, and names the file, field or tensor.</summary>
public sealed class ModelLoadException(string message, Exception? inner = null) : Exception(OneLine.Of(message), inner);
