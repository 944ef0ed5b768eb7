using System.Security.Cryptography;
using System.Text;

namespace NanoAspire.Ctrl.Store;

/// <summary>A Lua script embedded beside this file, called by its digest.</summary>
internal sealed class RedisScript
{
    public static readonly RedisScript Register = Load("register");
    public static readonly RedisScript Renew = Load("renew");
    public static readonly RedisScript Unregister = Load("unregister");
    public static readonly RedisScript ReadRecords = Load("read_records");
    public static readonly RedisScript Due = Load("due");
    public static readonly RedisScript Expire = Load("expire");
    public static readonly RedisScript Adopt = Load("adopt");
    public static readonly RedisScript StartAgent = Load("start_agent");
    public static readonly RedisScript SetTopology = Load("set_topology");
    public static readonly RedisScript PostMail = Load("post_mail");
    public static readonly RedisScript TakeNotices = Load("take_notices");
    public static readonly RedisScript CleanupAgent = Load("cleanup_agent");

    public required string Text { get; init; }
    public required string Sha1Hex { get; init; }

    private static RedisScript Load(string name)
    {
        using var stream = typeof(RedisScript).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"Script {name} is not embedded");
        using var reader = new StreamReader(stream);
        var text = reader.ReadToEnd();
#pragma warning disable CA5350 // Redis names scripts by SHA-1.
        return new RedisScript { Text = text, Sha1Hex = Convert.ToHexStringLower(SHA1.HashData(Encoding.UTF8.GetBytes(text))) };
#pragma warning restore CA5350
    }
}
