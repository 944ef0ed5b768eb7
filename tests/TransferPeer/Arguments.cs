using System.Globalization;

namespace NanoAspire.TransferPeer;

/// <summary>Words of a command or of the command line.</summary>
internal static class Arguments
{
    public static int Int(this string[] words, int index) => int.Parse(words[index], CultureInfo.InvariantCulture);

    public static long Long(this string[] words, int index) => long.Parse(words[index], CultureInfo.InvariantCulture);

    public static ulong Unsigned(this string[] words, int index) => ulong.Parse(words[index], CultureInfo.InvariantCulture);
}
