namespace NanoAspire.Router.Options;

/// <summary>Time limits of the stages of a request. There is no limit on a whole answer: a stream may be long as long as it moves.</summary>
internal sealed record DeadlineOptions
{
    public TimeSpan Connect { get; init; } = TimeSpan.FromSeconds(2);
    /// <summary>From sending an image to an encoder to its whole reply.</summary>
    public TimeSpan Encode { get; init; } = TimeSpan.FromSeconds(60);
    /// <summary>From sending a prompt to a prefill engine to its whole reply.</summary>
    public TimeSpan Prefill { get; init; } = TimeSpan.FromSeconds(120);
    /// <summary>From sending a streamed request to a decode engine to its first byte; a hybrid engine has <see cref="Prefill"/> on top.</summary>
    public TimeSpan FirstByte { get; init; } = TimeSpan.FromSeconds(60);
    /// <summary>The same for an answer that is not streamed: its first byte comes when all of it is there.</summary>
    public TimeSpan WholeAnswer { get; init; } = TimeSpan.FromMinutes(30);
    /// <summary>Between two pieces of a stream.</summary>
    public TimeSpan Silence { get; init; } = TimeSpan.FromSeconds(60);
    /// <summary>A client that takes nothing for so long is let go.</summary>
    public TimeSpan SlowReader { get; init; } = TimeSpan.FromSeconds(30);

    public void Validate()
    {
        foreach (var (value, name) in ((TimeSpan, string)[])[(Connect, "connect"), (Encode, "encode"), (Prefill, "prefill"), (FirstByte, "first byte"),
            (WholeAnswer, "whole answer"), (Silence, "silence"), (SlowReader, "slow reader")])
            RouterOptions.Require(value > TimeSpan.Zero, $"the {name} deadline must be positive");
    }
}
