namespace NanoAspire.Engine.Loading;

/// <summary>Messages of others, made fit for ours.</summary>
internal static class OneLine
{
    public static string Of(string message) => message.ReplaceLineEndings(" ").Trim();
}
