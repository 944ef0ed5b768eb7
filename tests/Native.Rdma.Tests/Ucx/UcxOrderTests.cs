using Microsoft.Extensions.Logging.Abstractions;
using NanoAspire.Native.Rdma.Ucx;
using NanoAspire.Tests;

namespace NanoAspire.Native.Rdma.Tests.Ucx;

[Trait("needs", "ucx")]
public sealed class UcxOrderTests
{
    [Fact]
    public async Task Frames_of_one_transfer_are_posted_one_after_the_other_and_other_transfers_have_their_turns()
    {
        Assert.SkipUnless(Needs.Ucx, Needs.UcxReason);
        await using var thread = new UcxThread(UcpContext.Process, "order", TimeSpan.Zero, TimeProvider.System, NullLogger.Instance);
        List<string> log = [];
        var (one, other) = (new object(), new object());
        Work[] works = [new("a", one, log), new("b", one, log), new("c", one, log), new("x", other, log)];
        var started = new TaskCompletionSource();
        thread.Post(started.Task.Wait); // so that all are there before the first turn
        foreach (var work in works) thread.Start(work);
        started.SetResult();
        foreach (var work in works) await work.Completion.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.Equal(["a", "x", "a", "b", "x", "b", "c", "c"], log);
    }

    /// <summary>Posts in two turns.</summary>
    private sealed class Work(string name, object transfer, List<string> log) : UcxWork
    {
        private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private UcxWork? _earlier;
        private int _left = 2;

        public Task Completion => _done.Task;
        public override object Transfer => transfer;
        public override bool IsPosting => _left > 0;
        public override bool IsReady => _earlier is not { IsPosting: true };
        public override int InFlight => 0;
        public override void Follow(UcxWork earlier) => _earlier = earlier;

        public override bool Advance()
        {
            if (_earlier is { IsPosting: true }) return true;
            log.Add(name);
            if (--_left == 0) _done.SetResult();
            return _left > 0;
        }

        public override void Release()
        {
        }

        public override void Fail(TransferException reason) => _done.TrySetException(reason);
    }
}
