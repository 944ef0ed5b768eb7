namespace NanoAspire.Engine.Speculation;

/// <summary>Who guesses tokens ahead.</summary>
public enum SpeculationMethod
{
    /// <summary>Nobody: a step gives each sequence one token.</summary>
    Off,
    /// <summary>The sequence's own past (prompt lookup); for every model.</summary>
    NGram,
    /// <summary>The module that the model was trained with (multi-token prediction).</summary>
    Mtp,
}
