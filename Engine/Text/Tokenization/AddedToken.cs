namespace NanoAspire.Engine.Text.Tokenization;

/// <summary>A token found in the text before the model sees it.</summary>
internal sealed record AddedToken
{
    public required int Id { get; init; }
    public required string Content { get; init; }
    /// <summary>Dropped by decoding that skips special tokens.</summary>
    public bool Special { get; init; }
    /// <summary>Only matches where no word character adjoins.</summary>
    public bool SingleWord { get; init; }
    /// <summary>Swallows the white space before it.</summary>
    public bool LStrip { get; init; }
    /// <summary>Swallows the white space after it.</summary>
    public bool RStrip { get; init; }
    /// <summary>Looked for in the normalized text, not in the text as given.</summary>
    public bool Normalized { get; init; }

    public static AddedToken Read(JsonField field, int id) => new()
    {
        Id = id,
        Content = field["content"].String(),
        Special = field["special"].Bool(absent: false),
        SingleWord = field["single_word"].Bool(absent: false),
        LStrip = field["lstrip"].Bool(absent: false),
        RStrip = field["rstrip"].Bool(absent: false),
        Normalized = field["normalized"].Bool(absent: !field["special"].Bool(absent: false)),
    };
}
