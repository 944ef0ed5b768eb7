using System.Buffers.Binary;
using System.Security.Cryptography;

namespace NanoAspire.Native.Rdma;

/// <summary>A guard that lets through what the owner has granted explicitly: one token a range. Thread-safe.</summary>
public sealed class WriteGrants : IWriteGuard
{
    /// <summary>Grants at one time; more is a leak.</summary>
    public const int MaxGrants = 1 << 16;

    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, Grant> _grants = [];

    /// <summary>Lets whoever shows the returned token write <c>[offset, offset + length)</c>, until <see cref="RevokeAsync"/>.</summary>
    /// <exception cref="InvalidOperationException">There are <see cref="MaxGrants"/> already.</exception>
    public ulong Allow(ulong offset, ulong length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, ulong.MaxValue - offset);
        lock (_gate)
        {
            if (_grants.Count >= MaxGrants) throw new InvalidOperationException($"{MaxGrants} write grants are out already");
            ulong token;
            do token = NewToken(); while (_grants.ContainsKey(token));
            _grants[token] = new(this, offset, length);
            return token;
        }
    }

    /// <summary>Takes a grant back; completes when no writer uses it any more, and only then is the memory the owner's again. Idempotent.</summary>
    /// <exception cref="OperationCanceledException">The wait was given up; the grant stays revoked.</exception>
    public Task RevokeAsync(ulong token, CancellationToken cancellationToken)
    {
        Grant? grant;
        lock (_gate)
        {
            if (!_grants.Remove(token, out grant)) return Task.CompletedTask;
            grant.Revoked = true;
            if (grant.Writers == 0) grant.Idle.TrySetResult();
        }
        return grant.Idle.Task.WaitAsync(cancellationToken);
    }

    IDisposable? IWriteGuard.TryGrant(ulong token, ReadOnlySpan<SourceRange> ranges)
    {
        lock (_gate)
        {
            if (!_grants.TryGetValue(token, out var grant)) return null;
            foreach (var range in ranges) if (!grant.Covers(range)) return null;
            grant.Writers++;
            return grant;
        }
    }

    private static ulong NewToken()
    {
        Span<byte> bytes = stackalloc byte[8];
        RandomNumberGenerator.Fill(bytes);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }

    private sealed class Grant(WriteGrants owner, ulong offset, ulong length) : IDisposable
    {
        public TaskCompletionSource Idle { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
        public int Writers { get; set; }
        public bool Revoked { get; set; }

        public bool Covers(SourceRange range) =>
            range.Offset >= offset && range.Offset - offset <= length && range.Length <= length - (range.Offset - offset);

        public void Dispose()
        {
            lock (owner._gate)
            {
                if (--Writers == 0 && Revoked) Idle.TrySetResult();
            }
        }
    }
}
