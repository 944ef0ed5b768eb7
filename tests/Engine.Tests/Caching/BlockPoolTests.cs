using NanoAspire.Engine.Caching;

namespace NanoAspire.Engine.Tests.Caching;

public sealed class BlockPoolTests
{
    private static readonly int[] Twelve = [.. Enumerable.Range(1, 12)];

    [Fact]
    public void Block_0_is_never_handed_out()
    {
        var pool = new BlockPool(5, blockSize: 4, caching: true);
        Assert.Equal(4, pool.Total);
        Assert.DoesNotContain(0, Enumerable.Range(0, 4).Select(_ => pool.Take()));
        Assert.Equal(0, pool.Free);
        Assert.Throws<InvalidOperationException>(() => pool.Take());
    }

    [Fact]
    public void A_released_prompt_is_hit_until_its_blocks_are_taken()
    {
        var pool = new BlockPool(8, blockSize: 4, caching: true);
        var first = Computed(pool, Twelve);
        first.Release();
        Assert.Equal((7, 3), (pool.Free, pool.Cached));

        var second = new BlockTable(pool);
        Assert.True(second.TryAllocate(Twelve, maxHits: 3, out var hits));
        Assert.Equal(3, hits);
        Assert.Equal((4, 0), (pool.Free, pool.Cached));
        pool.Validate([second.Blocks]);
    }

    [Fact]
    public void Nothing_is_hit_before_it_was_computed()
    {
        var pool = new BlockPool(16, blockSize: 4, caching: true);
        var first = new BlockTable(pool);
        Assert.True(first.TryAllocate(Twelve, maxHits: 2, out _));
        first.Publish(Twelve, computed: 7);                // one block and three quarters

        Assert.True(new BlockTable(pool).TryAllocate(Twelve, maxHits: 3, out var hits));
        Assert.Equal(1, hits);
    }

    [Fact]
    public void The_tail_of_a_prompt_is_taken_again_before_its_head()
    {
        var pool = new BlockPool(4, blockSize: 4, caching: true);
        var table = Computed(pool, Twelve);
        int[] blocks = [.. table.Blocks];
        table.Release();
        Assert.Equal(blocks[2], pool.Take());
        Assert.True(new BlockTable(pool).TryAllocate(Twelve.AsSpan(0, 8), maxHits: 2, out var hits));
        Assert.Equal(2, hits);
    }

    [Fact]
    public void The_least_recently_released_content_goes_first_and_blocks_without_content_before_it()
    {
        var pool = new BlockPool(5, blockSize: 4, caching: true);
        var a = Computed(pool, [1, 2, 3, 4]);
        var b = Computed(pool, [5, 6, 7, 8, 9]);           // its second block is not full
        var (blockA, blockB, partial) = (a.Blocks[0], b.Blocks[0], b.Blocks[1]);
        b.Release();
        a.Release();
        var order = new[] { pool.Take(), pool.Take(), pool.Take(), pool.Take() };
        Assert.Equal(partial, order[0]);
        Assert.Equal([blockB, blockA], order[2..]);
    }

    [Fact]
    public void A_taken_block_is_no_longer_found()
    {
        var pool = new BlockPool(4, blockSize: 4, caching: true);
        Computed(pool, Twelve).Release();
        var other = new BlockTable(pool);
        Assert.True(other.TryGrow(12));
        other.Release();
        Assert.Equal(0, pool.Cached);
        Assert.True(new BlockTable(pool).TryAllocate(Twelve, maxHits: 3, out var hits));
        Assert.Equal(0, hits);
    }

    [Fact]
    public void A_hash_collision_is_told_apart_by_tokens_and_by_what_came_before()
    {
        var pool = new BlockPool(4, blockSize: 2, caching: true);
        var (a, b) = (pool.Take(), pool.Take());
        var content = pool.Publish(a, hash: 42, parent: 0, [1, 2], []);
        Assert.True(pool.TryFind(42, parent: 0, [1, 2], [], out var found, out var identity));
        Assert.Equal((a, content), (found, identity));
        Assert.False(pool.TryFind(42, parent: 0, [1, 3], [], out _, out _));
        Assert.False(pool.TryFind(42, parent: 7, [1, 2], [], out _, out _));

        pool.Publish(b, hash: 42, parent: 0, [1, 3], []);      // the newest wins, the other is only no longer found
        Assert.False(pool.TryFind(42, parent: 0, [1, 2], [], out _, out _));
        Assert.True(pool.TryFind(42, parent: 0, [1, 3], [], out found, out _));
        Assert.Equal(b, found);
        pool.Validate([[a, b]]);
    }

    [Fact]
    public void The_same_placeholders_of_other_images_are_other_content_even_under_the_same_hash()
    {
        var pool = new BlockPool(5, blockSize: 2, caching: true);
        var (a, b) = (pool.Take(), pool.Take());
        var content = pool.Publish(a, hash: 42, parent: 0, [9, 9], [1, 2, 3]);
        Assert.True(pool.TryFind(42, parent: 0, [9, 9], [1, 2, 3], out var found, out _));
        Assert.Equal(a, found);
        Assert.False(pool.TryFind(42, parent: 0, [9, 9], [1, 2, 4], out _, out _));
        Assert.False(pool.TryFind(42, parent: 0, [9, 9], [], out _, out _));
        Assert.NotEqual(content, pool.Publish(b, hash: 42, parent: 0, [9, 9], []));
        Assert.False(pool.TryFind(42, parent: 0, [9, 9], [1, 2, 3], out _, out _));
        pool.Validate([[a, b]]);
    }

    [Fact]
    public void The_same_content_computed_twice_is_published_once()
    {
        var pool = new BlockPool(8, blockSize: 4, caching: true);
        var (a, b) = (new BlockTable(pool), new BlockTable(pool));
        Assert.True(a.TryAllocate(Twelve, maxHits: 2, out _));
        Assert.True(b.TryAllocate(Twelve, maxHits: 2, out _));
        a.Publish(Twelve, 4);
        b.Publish(Twelve, 12);                             // continues what a has published
        a.Publish(Twelve, 12);
        a.Release();
        b.Release();
        Assert.Equal(3, pool.Cached);
        Assert.True(new BlockTable(pool).TryAllocate(Twelve, maxHits: 3, out var hits));
        Assert.Equal(3, hits);
    }

    [Fact]
    public void Allocation_is_all_or_nothing_and_counts_free_hits_once()
    {
        var pool = new BlockPool(5, blockSize: 4, caching: true);
        Computed(pool, Twelve).Release();                  // 4 free, 3 of them cached
        var twenty = Enumerable.Range(1, 20).ToArray();
        var table = new BlockTable(pool);
        Assert.False(table.TryAllocate(twenty, maxHits: 4, out _));
        Assert.Empty(table.Blocks);
        Assert.True(table.TryAllocate(twenty.AsSpan(0, 16), maxHits: 3, out var hits));
        Assert.Equal((3, 0), (hits, pool.Free));
        pool.Validate([table.Blocks]);
    }

    [Fact]
    public void Without_caching_nothing_is_published()
    {
        var pool = new BlockPool(8, blockSize: 4, caching: false);
        Computed(pool, Twelve).Release();
        Assert.Equal(0, pool.Cached);
        Assert.True(new BlockTable(pool).TryAllocate(Twelve, maxHits: 2, out var hits));
        Assert.Equal(0, hits);
    }

    [Fact]
    public void A_reference_is_not_given_back_twice()
    {
        var pool = new BlockPool(3, blockSize: 4, caching: true);
        var id = pool.Take();
        pool.Release(id);
        Assert.Throws<InvalidOperationException>(() => pool.Release(id));
    }

    [Fact]
    public void The_checker_notices_a_lost_reference()
    {
        var pool = new BlockPool(3, blockSize: 4, caching: true);
        pool.Take();
        Assert.Throws<InvalidOperationException>(() => pool.Validate([]));
    }

    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public void Random_tables_keep_every_count_right_and_hit_only_their_own_prefix(int seed)
    {
        var random = new Random(seed);
        var pool = new BlockPool(24, blockSize: 2, caching: true);
        var content = new Dictionary<int, string>();       // what the holder of a block wrote, prefix included
        var held = new List<(BlockTable Table, int[] Tokens)>();
        for (var round = 0; round < 2000; round++)
        {
            if (held.Count > 0 && random.Next(3) == 0)
            {
                var i = random.Next(held.Count);
                held[i].Table.Release();
                held.RemoveAt(i);
            }
            else
            {
                var tokens = Enumerable.Range(0, random.Next(1, 12)).Select(_ => random.Next(2)).ToArray();
                var table = new BlockTable(pool);
                if (!table.TryAllocate(tokens, tokens.Length / 2, out var hits)) continue;
                for (var i = 0; i < table.Blocks.Count; i++)
                {
                    var prefix = string.Join(',', tokens.Take(2 * i + 2));
                    if (i < hits) Assert.Equal(prefix, content[table.Blocks[i]]);
                    else content[table.Blocks[i]] = prefix;
                }
                table.Publish(tokens, random.Next(hits * 2, tokens.Length + 1));
                held.Add((table, tokens));
            }
            pool.Validate(held.Select(h => h.Table.Blocks));
        }
        foreach (var (table, _) in held) table.Release();
        Assert.Equal(pool.Total, pool.Free);
    }

    private static BlockTable Computed(BlockPool pool, int[] tokens)
    {
        var table = new BlockTable(pool);
        Assert.True(table.TryAllocate(tokens, maxHits: 0, out _));
        table.Publish(tokens, tokens.Length);
        return table;
    }
}
