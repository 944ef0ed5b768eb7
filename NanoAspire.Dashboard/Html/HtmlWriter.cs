using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Unicode;

namespace NanoAspire.Dashboard.Html;

/// <summary>
/// Builds HTML from interpolated strings: the text of the literal goes out as it is, every hole is encoded. There is no way to write a
/// variable unencoded but <see cref="Markup"/>, which only this project's own rendering makes. Attribute values stand in double quotes.
/// </summary>
internal sealed class HtmlWriter
{
    private static readonly HtmlEncoder Encoder = HtmlEncoder.Create(UnicodeRanges.All);
    private readonly StringBuilder _text = new(16 * 1024);

    public HtmlWriter Add([InterpolatedStringHandlerArgument("")] ref Handler handler)
    {
        _ = handler;                                                                  // it has written already
        return this;
    }

    public Markup ToMarkup() => new(_text.ToString());

    public override string ToString() => _text.ToString();

    /// <summary>A small piece, e.g. an icon, to be put into a hole.</summary>
    public static Markup Of(Action<HtmlWriter> write)
    {
        var writer = new HtmlWriter();
        write(writer);
        return writer.ToMarkup();
    }

    [InterpolatedStringHandler]
    internal readonly ref struct Handler
    {
        private readonly StringBuilder _text;

        public Handler(int literalLength, int formattedCount, HtmlWriter writer)
        {
            _ = literalLength + formattedCount;
            _text = writer._text;
        }

        public void AppendLiteral(string literal) => _text.Append(literal);

        public void AppendFormatted(string? value) => _text.Append(value is null ? "" : Encoder.Encode(value));

        public void AppendFormatted(Markup value) => _text.Append(value.Html);

        public void AppendFormatted(int value) => _text.Append(value);

        public void AppendFormatted(long value) => _text.Append(value);

        public void AppendFormatted(double value) => _text.Append(value.ToString("0.###", CultureInfo.InvariantCulture));

        public void AppendFormatted(double value, string format) => _text.Append(value.ToString(format, CultureInfo.InvariantCulture));
    }
}

/// <summary>HTML that is safe as it stands.</summary>
internal readonly record struct Markup(string Html)
{
    public static Markup Empty { get; } = new("");
}
