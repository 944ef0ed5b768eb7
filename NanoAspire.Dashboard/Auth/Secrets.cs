using System.Security.Cryptography;
using System.Text;

namespace NanoAspire.Dashboard.Auth;

/// <summary>Making and comparing keys.</summary>
internal static class Secrets
{
    /// <summary>128 random bits in hex.</summary>
    public static string Generate() => RandomNumberGenerator.GetHexString(32, lowercase: true);

    /// <summary>Takes the same time wherever the texts differ, and whatever their lengths.</summary>
    public static bool Equal(string? given, string expected) =>
        given is not null && CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(given)), SHA256.HashData(Encoding.UTF8.GetBytes(expected)));
}
