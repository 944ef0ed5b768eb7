using System.Security.Cryptography;
using Aspire.Hosting.Publishing;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>A random text from a cryptographic source.</summary>
public sealed class GenerateParameterDefault : ParameterDefault
{
    private const string LowerCase = "abcdefghjkmnpqrstuvwxyz";
    private const string UpperCase = "ABCDEFGHJKMNPQRSTUVWXYZ";
    private const string Digits = "0123456789";
    private const string Specials = "-_.{}~()*+!";

    public int MinLength { get; set; }
    public bool Lower { get; set; } = true;
    public bool Upper { get; set; } = true;
    public bool Numeric { get; set; } = true;
    public bool Special { get; set; } = true;
    public int MinLower { get; set; }
    public int MinUpper { get; set; }
    public int MinNumeric { get; set; }
    public int MinSpecial { get; set; }

    public override string GetDefaultValue()
    {
        var all = (Lower ? LowerCase : "") + (Upper ? UpperCase : "") + (Numeric ? Digits : "") + (Special ? Specials : "");
        if (all.Length == 0) throw new DistributedApplicationException("A generated value needs at least one character class.");
        var chars = new List<char>();
        Add(LowerCase, Lower ? MinLower : 0);
        Add(UpperCase, Upper ? MinUpper : 0);
        Add(Digits, Numeric ? MinNumeric : 0);
        Add(Specials, Special ? MinSpecial : 0);
        Add(all, MinLength - chars.Count);
        var result = chars.ToArray();
        RandomNumberGenerator.Shuffle<char>(result);
        return new string(result);

        void Add(string alphabet, int count)
        {
            for (var i = 0; i < count; i++) chars.Add(alphabet[RandomNumberGenerator.GetInt32(alphabet.Length)]);
        }
    }

    public override void WriteToManifest(ManifestPublishingContext context)
    {
        var writer = context.Writer;
        writer.WriteStartObject("generate");
        writer.WriteNumber("minLength", MinLength);
        Class("lower", Lower);
        Class("upper", Upper);
        Class("numeric", Numeric);
        Class("special", Special);
        Minimum("minLower", MinLower);
        Minimum("minUpper", MinUpper);
        Minimum("minNumeric", MinNumeric);
        Minimum("minSpecial", MinSpecial);
        writer.WriteEndObject();

        void Class(string name, bool allowed)
        {
            if (!allowed) writer.WriteBoolean(name, false);
        }
        void Minimum(string name, int count)
        {
            if (count > 0) writer.WriteNumber(name, count);
        }
    }
}
