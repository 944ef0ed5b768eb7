namespace NanoAspire.Engine.Text;

/// <summary>What <see cref="StopMatcher"/> lets through.</summary>
/// <param name="Text">Text that no later text can make part of a stop string; never includes any of one.</param>
/// <param name="Stop">The stop string that ended the text, null while none has.</param>
public readonly record struct StopMatch(string Text, string? Stop)
{
    public bool Stopped => Stop is not null;
}
