using System.Text;

namespace NanoAspire.Engine.Text.Tokenization;

/// <summary>
/// The byte-level alphabet: every byte as one printable character. Printable Latin-1 stands for itself, the other bytes
/// take the characters from U+0100 upwards, in order.
/// </summary>
internal static class ByteAlphabet
{
    private static readonly char[] Chars = MakeChars();
    private static readonly short[] Bytes = MakeBytes();

    /// <summary>One character a UTF-8 byte of <paramref name="text"/>; returns how many were written.</summary>
    public static int Encode(ReadOnlySpan<char> text, Span<char> destination)
    {
        Span<byte> utf8 = stackalloc byte[4];
        var written = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            var length = rune.EncodeToUtf8(utf8);
            for (var i = 0; i < length; i++) destination[written++] = Chars[utf8[i]];
        }
        return written;
    }

    /// <summary>The bytes a token stands for; a token with a character outside the alphabet (an added one) stands for its own UTF-8.</summary>
    public static byte[] Decode(string token)
    {
        var bytes = new byte[token.Length];
        for (var i = 0; i < bytes.Length; i++)
        {
            var c = token[i];
            if (c >= Bytes.Length || Bytes[c] < 0) return Encoding.UTF8.GetBytes(token);
            bytes[i] = (byte)Bytes[c];
        }
        return bytes;
    }

    private static char[] MakeChars()
    {
        var chars = new char[256];
        var next = (char)0x100;
        for (var b = 0; b < 256; b++)
        {
            chars[b] = b is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF) ? (char)b : next++;
        }
        return chars;
    }

    private static short[] MakeBytes()
    {
        var bytes = new short[Chars.Max() + 1];
        Array.Fill(bytes, (short)-1);
        for (var b = 0; b < 256; b++) bytes[Chars[b]] = (short)b;
        return bytes;
    }
}
